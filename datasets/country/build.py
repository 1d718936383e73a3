#!/usr/bin/env python3
"""Builds the country tables in this folder from public lists and from hand.py.

    python3 datasets/country/build.py ../shared/data

The argument is a folder with the inputs that README.md lists (`country/`, `worldbank_wdi/`, `knomad/`, `undesa/`,
`oecd_dac/`). Needs pandas, openpyxl and xlrd. Same inputs, same bytes: rows are sorted and nothing is dated.
The script stops when a spelling would fit two economies, or when an input holds a name that the tables do not know.
"""

import csv
import json
import re
import sys
import unicodedata
import warnings
from pathlib import Path

import pandas as pd

import hand

warnings.filterwarnings("ignore")
HERE = Path(__file__).resolve().parent
LANGUAGES = ["en", "fr", "es", "ar", "zh", "ru"]
TITLES = ["English", "French", "Spanish", "Arabic", "Chinese", "Russian"]
# Words that carry no identity, and words that publishers abbreviate. The same list stands in
# engine/lake/src/country/fold.rs; a test there looks up every alias of these tables.
FOLD = {
    "and": "", "the": "", "of": "", "saint": "st", "republic": "rep", "democratic": "dem", "federated": "fed",
    "federal": "fed", "states": "st", "state": "st", "sts": "st", "islands": "is", "island": "is", "isl": "is",
    "united": "utd", "peoples": "people",
}
LETTERS = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "ı": "i", "đ": "d", "ð": "d", "þ": "th"})


def fold(text):
    """The key under which a spelling is found. Mirrors fold.rs."""
    text = "".join(c for c in text if c not in "¹²³⁰⁴⁵⁶⁷⁸⁹'’‘ʼ`´")
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if not unicodedata.combining(c)).lower().translate(LETTERS)
    words = re.sub(r"[\W_]+", " ", text).split()
    if len(words) > 1:
        words = [w for w in (FOLD.get(w, w) for w in words) if w]
    if len(words) == 1 and words[0].isdigit():
        return words[0].lstrip("0") or "0"
    return " ".join(words)


def excel(path, sheet=0):
    return pd.read_excel(path, sheet_name=sheet, header=None, keep_default_na=False, dtype=str)


def write(name, header, rows):
    with open(HERE / name, "w", newline="", encoding="utf-8") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)
    print(f"{name}: {len(rows)} rows, {(HERE / name).stat().st_size} bytes")


class Inputs:
    """The lists, read once."""

    def __init__(self, root):
        self.root = Path(root)
        ocha = pd.read_csv(self.root / "country/ocha_countries_territories_taxonomy.csv", dtype=str, keep_default_na=False)
        self.ocha = {r["ISO 3166-1 Alpha 3-Codes"]: r for _, r in ocha.iterrows() if r["ISO 3166-1 Alpha 3-Codes"]}
        self.codes = {a3: (a2, m49) for a2, a3, m49, _ in json.load(open(self.root / "country/iso3166_codes.json"))}
        self.names = {
            lang: json.load(open(self.root / f"country/iso3166_names_{lang}.json", encoding="utf-8"))["countries"]
            for lang in LANGUAGES
        }
        wdi = self.root / "worldbank_wdi"
        self.metadata = {
            day: pd.read_csv(next(wdi.glob(f"Metadata_Country_API_{ind}*.csv")), encoding="utf-8-sig", dtype=str,
                             keep_default_na=False).set_index("Country Code")
            for day, ind in {"2022-05-25": "FP.CPI.TOTL.ZG", "2025-07-01": "BX.TRF.PWKR.CD.DT",
                             "2025-10-07": "DT.ODA.ALLD.CD"}.items()
        }
        cls = excel(self.root / "country/worldbank_CLASS.xlsx", "List of economies")
        self.cls = {r[1]: r for _, r in cls.iloc[1:].iterrows() if r[1] and r[2]}
        self.dac = excel(self.root / "oecd_dac/DAC-CRS-CODES.xlsx", "Recipient").iloc[1:]
        self.donor = excel(self.root / "oecd_dac/DAC-CRS-CODES.xlsx", "Donor").iloc[3:]


REGION = {"East Asia & Pacific": "EAS", "Europe & Central Asia": "ECS", "Latin America & Caribbean": "LCN",
          "Middle East & North Africa": "MEA", "Middle East, North Africa, Afghanistan & Pakistan": "MEA",
          "North America": "NAC", "South Asia": "SAS", "Sub-Saharan Africa": "SSF"}
REGION_NAME = {"EAS": "East Asia & Pacific", "ECS": "Europe & Central Asia", "LCN": "Latin America & Caribbean",
               "MEA": "Middle East, North Africa, Afghanistan & Pakistan", "NAC": "North America", "SAS": "South Asia",
               "SSF": "Sub-Saharan Africa"}
INCOME = {"Low income": "LIC", "Lower middle income": "LMC", "Upper middle income": "UMC", "High income": "HIC", "": ""}
INCOME_NAME = {"LIC": "Low income", "LMC": "Lower middle income", "UMC": "Upper middle income", "HIC": "High income"}


def first(value):
    return value[0] if isinstance(value, list) else value


def current_region(inputs):
    """World Bank region of each economy, in the newest edition; Taiwan stands in CLASS only."""
    region = {c: REGION[r[2]] for c, r in inputs.cls.items()}
    region.update({c: REGION[r["Region"]] for c, r in inputs.metadata["2025-10-07"].iterrows() if r["Region"]})
    return region


def countries(inputs):
    region = current_region(inputs)
    rows = []
    for iso3, (iso2, m49) in inputs.codes.items():
        o = inputs.ocha.get(iso3)
        if o is None:
            continue
        names = []
        for lang, title in zip(LANGUAGES, TITLES):
            listed = first(inputs.names[lang].get(iso2, ""))
            official = (o[f"{title} Short"] or o[f"M49 {title}"]).split("|")[-1]
            # In English the short name in use; in the other languages what the United Nations writes.
            ordered = [listed, official] if lang == "en" else [official, listed]
            names.append(getattr(hand, f"NAMES_{lang.upper()}").get(iso3) or ordered[0] or ordered[1])
        rows.append([iso3, iso2, m49, *names, o["Region Name"], o["Sub-region Name"], region.get(iso3, ""),
                     hand.CURRENCY.get(iso3, o["Currency"]), hand.VALID_FROM.get(iso3, ""), ""])
    today = {r[0]: r for r in rows}
    for iso3, (m49, last, name) in hand.EARLIER.items():
        old = list(today[iso3])
        old[2], old[3], old[14] = m49, name, last
        rows.append(old)
        start = str(pd.Timestamp(last) + pd.Timedelta(days=1))[:10]
        today[iso3][13] = start
    for e in hand.EXTRA + hand.HISTORIC:
        rows.append([*e[:11], region.get(e[0], ""), *e[11:]])
    for r in rows:
        if not all(r[3:9]):
            raise SystemExit(f"{r[0]} lacks a name: {r[3:9]}")
    return sorted(rows, key=lambda r: (r[0], r[14] or "9999"))


def formal_variants(formal, short):
    """`the Republic of X` gives `X, Republic of` and so on. Korea, Congo and China are written out by hand."""
    m = re.match(r"^(?:the )?(.*(?:Republic|Kingdom|State|Union|Principality|Grand Duchy|Commonwealth).*?) of (?:the )?(.+)$", formal)
    out = [formal]
    if m:
        out += [f"{m[2]}, {m[1]} of", f"{m[2]}, {m[1]}", f"{short}, {m[1]} of", f"{short}, {m[1]}"]
    return out


def publisher_names(inputs):
    """Every label and code that the publishers' files carry, per provider: (text, code or None)."""
    root, out = inputs.root, {p: [] for p in ("worldbank", "knomad", "undesa", "oecd")}
    for f in sorted((root / "worldbank_wdi").glob("API_*.csv")):
        x = pd.read_csv(f, skiprows=4, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        out["worldbank"] += list(zip(x["Country Name"], x["Country Code"]))
    for f in sorted((root / "worldbank_wdi").glob("*.xls")):
        x = excel(f, "Data")
        head = next(i for i in range(10) if x.iloc[i, 0] == "Country Name")
        out["worldbank"] += list(zip(x.iloc[head + 1:, 0], x.iloc[head + 1:, 1]))
    for m in inputs.metadata.values():
        out["worldbank"] += [(r["TableName"], c) for c, r in m.iterrows()]
    out["worldbank"] += [(r[0], c) for c, r in inputs.cls.items()]
    x = excel(root / "knomad/bilateral_remittance_matrix_2021_0.xlsx")
    out["knomad"] += [(n, None) for n in [*x.iloc[2:217, 0], *x.iloc[1, 1:]]]
    for name, head in (("inward_remittance_flows_december_2023_1", 1), ("remittance-outflows", 2)):
        x = excel(root / f"knomad/{name}.xlsx")
        out["knomad"] += [(n, None) for n in x.iloc[head:, 0] if n]
    for sheet in (0, 1):
        x = excel(root / "knomad/WB_Bilateral_Estimates_Migrant_Stocks_2017.xlsx", sheet)
        out["knomad"] += [(n, None) for n in [*x.iloc[2:, 0], *(x.iloc[1, 1:] if sheet == 0 else [])]]
    x = excel(root / "undesa/undesa_pd_2020_ims_stock_by_sex_and_destination.xlsx", "Table 1").iloc[11:]
    out["undesa"] += list(zip(x[1], x[3]))
    x = pd.read_csv(root / "undesa/UN_MigrantStockByOriginAndDestination_2019_clean.csv.gz", keep_default_na=False)
    out["undesa"] += [(n, None) for n in [*x["Dest"].unique(), *x.columns[2:]]]
    for r in inputs.dac.itertuples(index=False):
        out["oecd"] += [(r[1], r[0]), (r[2], r[0])]
    for cols in ((0, 1, 2), (8, 9, 10)):
        for code, en, fr in inputs.donor[list(cols)].itertuples(index=False):
            out["oecd"] += [(en, code), (fr, code)] if en else []
    for f in sorted((root / "oecd_dac").glob("dac2a*.csv")):
        x = pd.read_csv(f, dtype=str, keep_default_na=False)
        out["oecd"] += [(c, c) for c in sorted(set(x["RECIPIENT"]))]
    return {p: [(t.strip().rstrip("*").strip(), c and c.strip()) for t, c in v] for p, v in out.items()}


def aggregates(inputs):
    rows = [(p, code, name) for p, code, names in hand.AGGREGATES for name in names.split("|")]
    known = {(p, fold(n)) for p, _, n in rows}
    for m in inputs.metadata.values():
        for code, r in m.iterrows():
            if not r["Region"] and ("worldbank", fold(r["TableName"])) not in known:
                known.add(("worldbank", fold(r["TableName"])))
                rows.append(("worldbank", code, r["TableName"]))
    rows += [("worldbank", a3, a2) for a3, a2 in zip(*[iter(hand.WORLDBANK_API_CODES.split())] * 2)]
    for r in inputs.dac.itertuples(index=False):
        if not r[3]:
            rows += [("oecd", r[0], r[1]), ("oecd", r[0], r[2])]
    return rows


# Endings of a footnote or an editor's remark, not of a name; fold.rs strips any that does not change identity.
REMARK = re.compile(r"\s*\((using|revising|adjs|brief|estimate|revised|data)[^)]*\)$", re.I)

NOTE = re.compile(r"(date|notes?|gdp data|when using)\b", re.I)


def aliases(inputs, rows, agg):
    tables = {"iso": {}, "general": {}}
    iso = tables["iso"]

    def put(table, alias, iso3):
        key = fold(alias)
        if not key:
            return
        old = table.setdefault(key, (alias, iso3))
        if old[1] != iso3:
            raise SystemExit(f"`{alias}` would be {iso3} and {old[1]} (`{old[0]}`)")

    for r in rows:
        if r[14] == "" or r[0] not in {x[0] for x in rows if x[14] == ""}:
            put(iso, r[0], r[0])
            if r[1] and r[14] == "" or r[1] in ("YU", "SU", "AN", "DD", "YD"):
                put(iso, r[1], r[0])
        if r[2] and r[0] != "XKX":
            put(iso, r[2], r[0])
    contested = {"congo", "korea", "china rep", "rep congo", "rep korea", "rep china"}
    general = tables["general"]
    for iso3, text in hand.SPELLINGS.items():
        for alias in text.split("|"):
            put(general, alias, iso3)
    for alias, iso3 in hand.CODES["general"].items():
        put(general, alias, iso3)
    hand_keys = dict(general)

    def offer(alias, iso3):
        """A generated variant: dropped when it is contested or when a hand-written one says otherwise."""
        key = fold(alias)
        if key and key not in contested and hand_keys.get(key, ("", iso3))[1] == iso3 and key not in iso:
            offers.setdefault(key, {}).setdefault(iso3, alias)

    offers = {}
    for r in rows:
        offer(r[3], r[0])
    for iso3, (iso2, _) in inputs.codes.items():
        o = inputs.ocha.get(iso3)
        if o is None:
            continue
        names = inputs.names["en"][iso2]
        variants = list(names if isinstance(names, list) else [names])
        variants += [o[c] for c in ("Preferred Term", "ISO Alt Term", "DGACM Alt Term", "HPC Tools Alt Term",
                                    "RW Short Name", "RW API Alt Term", "English Short", "M49 English")]
        variants += formal_variants(o["English Formal"], o["English Short"])
        for lang, title in list(zip(LANGUAGES, TITLES))[1:]:
            listed = inputs.names[lang].get(iso2, [])
            variants += [*(listed if isinstance(listed, list) else [listed]), o[f"M49 {title}"], o[f"{title} Short"]]
        for v in variants:
            offer(v, iso3)
    for key, by in offers.items():
        if len(by) == 1:
            iso3, alias = next(iter(by.items()))
            put(general, alias, iso3)

    agg_keys = {}
    for p, code, name in agg:
        agg_keys.setdefault(p, set()).update({fold(code), fold(name)})
    unknown = []
    for provider, pairs in publisher_names(inputs).items():
        table = tables[provider] = {}
        for alias, iso3 in [*hand.CODES.get(provider, {}).items(), *hand.ONLY.get(provider, {}).items()]:
            put(table, alias, iso3)
        dac = {r[0]: r[3] for r in inputs.dac.itertuples(index=False) if r[3]}
        for text, code in pairs:
            name = REMARK.sub("", text)
            key = fold(name)
            if not key or len(name) > 70 or NOTE.match(name) or key in agg_keys[provider]:
                continue
            iso3 = None
            if code and provider == "oecd":
                iso3 = dac.get(code)
            elif code and fold(code) in iso:
                iso3 = iso[fold(code)][1]
            for t in (table, general, iso):
                iso3 = iso3 or (t[key][1] if key in t else None)
            if iso3 is None:
                unknown.append((provider, text, code))
                continue
            put(table, name, iso3)
            if code:
                put(table, code, iso3)
                dac.setdefault(code, iso3)
    if unknown:
        print("unknown:", *sorted(set(unknown)), sep="\n  ")
    for p, t in tables.items():
        clash = [a for k, a in t.items() if k in agg_keys.get(p, ())]
        if clash:
            raise SystemExit(f"{p}: economy and aggregate at once: {clash}")
    return tables


def groups(inputs, rows):
    out = []
    region = current_region(inputs)
    now = {r[0] for r in rows if r[14] == ""}
    for iso3, code in region.items():
        if code == "MEA":
            before = "SAS" if iso3 in ("AFG", "PAK") else "MEA"
            name = REGION_NAME["SAS"] if before == "SAS" else "Middle East & North Africa"
            out += [("region", before, name, iso3, "", "2025-06-30"), ("region", code, REGION_NAME[code], iso3, "2025-07-01", "")]
        else:
            out.append(("region", code, REGION_NAME[code], iso3, "", ""))

    steps = {"2021-07-01": {c: INCOME[r["IncomeGroup"]] for c, r in inputs.metadata["2022-05-25"].iterrows() if r["Region"]},
             "2022-07-01": {c: INCOME[r[3]] if r[3] in INCOME else "" for c, r in inputs.cls.items()}}
    state = dict(steps["2022-07-01"])
    for day, change in hand.INCOME_CHANGES.items():
        state.update(change)
        steps[day] = dict(state)
    newest = {c: INCOME[r["IncomeGroup"]] for c, r in inputs.metadata["2025-10-07"].iterrows() if r["Region"]}
    wrong = [(c, g, state.get(c)) for c, g in newest.items() if state.get(c) != g]
    if wrong:
        raise SystemExit(f"income changes do not lead to the newest edition: {wrong}")
    days = sorted(steps)
    for iso3 in sorted(state):
        start = None
        for i, day in enumerate(days):
            g = steps[day].get(iso3, "")
            if start is None or g != start[1]:
                if start and start[1]:
                    out.append(("income", start[1], INCOME_NAME[start[1]], iso3, start[0], str(pd.Timestamp(day) - pd.Timedelta(days=1))[:10]))
                start = (day, g)
        if start[1]:
            out.append(("income", start[1], INCOME_NAME[start[1]], iso3, start[0], ""))
    for year, members in hand.LDC.items():
        for iso3 in members.split():
            end = hand.LDC_END.get(iso3, "")
            if iso3 == "BWA":
                year, end = 1971, hand.LDC_END["BWA"]
            out.append(("ldc", "LDC", "Least developed countries", iso3, f"{year}-01-01",
                        end and str(pd.Timestamp(end) - pd.Timedelta(days=1))[:10]))
    out += [("lldc", "LLDC", "Landlocked developing countries", c, "", "") for c in hand.LLDC.split()]
    out += [("sids", "SIDS", "Small island developing States", c, "", "") for c in hand.SIDS.split()]
    dac = {"LDCs": ("LDC", "Least developed countries"), "Other LICs": ("OLIC", "Other low-income countries"),
           "LMICs": ("LMIC", "Lower middle-income countries and territories"),
           "UMICs": ("UMIC", "Upper middle-income countries and territories")}
    for r in inputs.dac.itertuples(index=False):
        if r[3]:
            out.append(("dac_recipient", *dac[r[5]], r[3], "2021-01-01", ""))
    strange = sorted({g[3] for g in out} - now)
    if strange:
        raise SystemExit(f"groups name economies that country.csv lacks: {strange}")
    return sorted(out)


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    inputs = Inputs(sys.argv[1])
    rows = countries(inputs)
    write("country.csv", ["iso3", "iso2", "m49", *(f"name_{x}" for x in LANGUAGES), "un_region", "un_subregion",
                          "wb_region", "currency", "valid_from", "valid_to"], rows)
    agg = aggregates(inputs)
    write("aggregate.csv", ["provider", "code_or_name", "name"], agg)
    for provider, table in aliases(inputs, rows, agg).items():
        write(f"alias_{provider}.csv", ["provider", "alias", "iso3"],
              sorted(((provider, a, c) for a, c in table.values()), key=lambda r: (r[2], r[1])))
    write("group.csv", ["group_kind", "group_code", "group_name", "iso3", "valid_from", "valid_to"], groups(inputs, rows))
    write("successor.csv", ["old_iso3", "new_iso3", "date", "rule"], hand.SUCCESSORS)


if __name__ == "__main__":
    main()
