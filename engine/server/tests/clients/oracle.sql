-- The oracle: a database of PostgreSQL with a few rows of the sample lake under the same names, so that
-- every assertion of the scripts here can be proven against PostgreSQL itself (run.sh --oracle).
-- Run by a superuser, on standard input: su postgres -c psql <oracle.sql
-- It makes role envoi_reader (password secret) and database envoi; a second time it makes the schemas anew.
\set ON_ERROR_STOP on
\set QUIET on
set client_min_messages = warning;
select 'create role envoi_reader login password ''secret'''
where not exists (select from pg_roles where rolname = 'envoi_reader') \gexec
select 'create database envoi template template0 encoding ''UTF8'''
where not exists (select from pg_database where datname = 'envoi') \gexec
alter database envoi set search_path = mart, lake, public;
-- What is read-only in envoi is read-only here.
alter role envoi_reader in database envoi set default_transaction_read_only = on;
\connect envoi
set client_min_messages = warning;
drop schema if exists mart, lake, fixture cascade;
create schema mart;
create schema lake;
create schema fixture;
grant usage on schema mart, lake to envoi_reader;

-- The Gini coefficient, enough for a few rows.
drop aggregate if exists public.gini(float8);
create or replace function public.gini_final(s float8[]) returns float8 language sql immutable as
    'select 2 * sum(i * y) / (count(*) * sum(y)) - (count(*) + 1.0) / count(*)
     from (select y, row_number() over (order by y) as i from unnest(s) as y) as ranked';
create aggregate public.gini(float8)
    (sfunc = array_append, stype = float8[], initcond = '{}', finalfunc = public.gini_final);


create table lake.country (
    iso3 text not null,
    iso2 text,
    m49 text,
    name_en text not null,
    name_fr text,
    name_es text,
    name_ar text,
    name_zh text,
    name_ru text,
    un_region text,
    un_subregion text,
    wb_region text,
    currency text,
    valid_from date,
    valid_to date,
    source_id text not null,
    vintage date not null
);
comment on table lake.country is 'Economies with codes, names in the six UN languages, region and currency.';
comment on column lake.country.iso3 is 'ISO 3166-1 alpha-3 code; XKX for Kosovo';
comment on column lake.country.iso2 is 'ISO 3166-1 alpha-2 code; `NA` is Namibia';
comment on column lake.country.m49 is 'UN M49 code, three digits';
comment on column lake.country.name_en is 'short name in English';
comment on column lake.country.name_fr is 'short name in French';
comment on column lake.country.name_es is 'short name in Spanish';
comment on column lake.country.name_ar is 'short name in Arabic';
comment on column lake.country.name_zh is 'short name in Chinese';
comment on column lake.country.name_ru is 'short name in Russian';
comment on column lake.country.un_region is 'UN M49 region';
comment on column lake.country.un_subregion is 'UN M49 sub-region';
comment on column lake.country.wb_region is 'World Bank region code: EAS, ECS, LCN, MEA, NAC, SAS or SSF';
comment on column lake.country.currency is 'ISO 4217 code of the currency in use';
comment on column lake.country.valid_from is 'first day of the period; NULL: before the table begins';
comment on column lake.country.valid_to is 'last day of the period; NULL: still valid';
comment on column lake.country.source_id is 'dataset the row comes from: `source.source_id`';
comment on column lake.country.vintage is 'date of the publisher''s edition';
copy lake.country from stdin (format csv);
AFG,AF,004,Afghanistan,Afghanistan,Afganistán,أفغانستان,阿富汗,Афганистан,Asia,Southern Asia,MEA,AFN,,,envoi.country,2025-10-07
CHN,CN,156,China,Chine,China,الصين,中国,Китай,Asia,Eastern Asia,EAS,CNY,,,envoi.country,2025-10-07
CIV,CI,384,Côte d'Ivoire,Côte d'Ivoire,Côte d’Ivoire,كوت ديفوار,科特迪瓦,Кот-д’Ивуар,Africa,Sub-Saharan Africa,SSF,XOF,,,envoi.country,2025-10-07
IND,IN,356,India,Inde,India,الهند,印度,Индия,Asia,Southern Asia,SAS,INR,,,envoi.country,2025-10-07
MEX,MX,484,Mexico,Mexique,México,المكسيك,墨西哥,Мексика,Americas,Latin America and the Caribbean,LCN,MXN,,,envoi.country,2025-10-07
NAM,NA,516,Namibia,Namibie,Namibia,ناميبيا,纳米比亚,Намибия,Africa,Sub-Saharan Africa,SSF,NAD,,,envoi.country,2025-10-07
NPL,NP,524,Nepal,Népal,Nepal,نيبال,尼泊尔,Непал,Asia,Southern Asia,SAS,NPR,,,envoi.country,2025-10-07
SYR,SY,760,Syria,République arabe syrienne,República Árabe Siria,الجمهورية العربية السورية,阿拉伯叙利亚共和国,Сирийская Арабская Республика,Asia,Western Asia,MEA,SYP,,,envoi.country,2025-10-07
TUR,TR,792,Türkiye,Türkiye,Türkiye,تركيا,土耳其,Турция,Asia,Western Asia,ECS,TRY,,,envoi.country,2025-10-07
USA,US,840,United States,États-Unis d'Amérique,Estados Unidos de América,الولايات المتحدة الأمريكية,美利坚合众国,Соединенные Штаты Америки,Americas,Northern America,NAC,USD,,,envoi.country,2025-10-07
\.

create table lake.country_group (
    group_kind text not null,
    group_code text not null,
    group_name text not null,
    iso3 text not null,
    valid_from date,
    valid_to date,
    source_id text not null,
    vintage date not null
);
comment on table lake.country_group is 'Membership of economies in regions, income groups and UN lists.';
comment on column lake.country_group.group_kind is 'region, income, ldc, lldc, sids or dac_recipient';
comment on column lake.country_group.group_code is 'World Bank code of the group: LIC, LMC, UMC, HIC; EAS, ECS, LCN, MEA, NAC, SAS, SSF';
comment on column lake.country_group.group_name is 'name of the group as this edition spells it';
comment on column lake.country_group.iso3 is 'member';
comment on column lake.country_group.valid_from is 'first day of the membership; NULL: not known';
comment on column lake.country_group.valid_to is 'last day of the membership; NULL: current';
comment on column lake.country_group.source_id is 'dataset the row comes from: `source.source_id`';
comment on column lake.country_group.vintage is 'date of the publisher''s edition';
copy lake.country_group from stdin (format csv);
dac_recipient,UMIC,Upper middle-income countries and territories,MEX,2021-01-01,,envoi.country,2025-10-07
income,UMC,Upper middle income,MEX,2021-07-01,,envoi.country,2025-10-07
region,LCN,Latin America & Caribbean,MEX,,,envoi.country,2025-10-07
dac_recipient,LDC,Least developed countries,NPL,2021-01-01,,envoi.country,2025-10-07
income,LMC,Lower middle income,NPL,2021-07-01,,envoi.country,2025-10-07
ldc,LDC,Least developed countries,NPL,1971-01-01,,envoi.country,2025-10-07
lldc,LLDC,Landlocked developing countries,NPL,,,envoi.country,2025-10-07
region,SAS,South Asia,NPL,,,envoi.country,2025-10-07
\.

create table lake.indicator (
    indicator text not null,
    name text not null,
    unit text,
    definition text,
    source_id text not null,
    vintage date not null,
    primary key (indicator)
);
comment on table lake.indicator is 'Indicators with name, unit and definition; one row per indicator';
comment on column lake.indicator.indicator is 'indicator code';
comment on column lake.indicator.name is 'the publisher''s name';
comment on column lake.indicator.unit is 'unit of the values';
comment on column lake.indicator.definition is 'the publisher''s definition';
comment on column lake.indicator.source_id is 'dataset the row comes from: `source.source_id`';
comment on column lake.indicator.vintage is 'date of the publisher''s edition';
copy lake.indicator from stdin (format csv);
BM.TRF.PWKR.CD.DT,"Personal remittances, paid (current US$)",current US dollars,,worldbank.wdi,2023-05-10
BX.TRF.PWKR.CD.DT,"Personal remittances, received (current US$)",current US dollars,,worldbank.wdi,2025-07-01
DT.ODA.ALLD.CD,Net official development assistance and official aid received (current US$),current US dollars,,worldbank.wdi,2025-10-07
NY.GDP.MKTP.CD,GDP (current US$),current US dollars,,worldbank.wdi,2023-07-25
SP.POP.TOTL,"Population, total",persons,,worldbank.wdi,2021-09-15
\.

create table lake.observation (
    indicator text not null,
    iso3 text not null,
    period date not null,
    frequency text not null,
    value double precision not null,
    unit text,
    source_id text not null,
    vintage date not null,
    obs_status text,
    primary key (indicator, iso3, period, frequency)
);
comment on table lake.observation is 'Indicators of economies over time; aggregates are in aggregate_observation.';
comment on column lake.observation.indicator is 'indicator code: `indicator.indicator`';
comment on column lake.observation.iso3 is 'economy';
comment on column lake.observation.period is 'first day of the period';
comment on column lake.observation.frequency is 'A annual, Q quarterly, M monthly';
comment on column lake.observation.value is 'the value, in base units';
comment on column lake.observation.unit is 'unit of the value';
comment on column lake.observation.source_id is 'dataset the row comes from: `source.source_id`';
comment on column lake.observation.vintage is 'date of the publisher''s edition';
comment on column lake.observation.obs_status is '`A` actual, `E` estimate, `F` forecast, `I` interpolated or imputed; NULL where the publisher does not say';
copy lake.observation from stdin (format csv);
BX.TRF.PWKR.CD.DT,MEX,2000-01-01,A,7524700000,current US dollars,worldbank.wdi,2025-07-01,
BX.TRF.PWKR.CD.DT,MEX,2005-01-01,A,22741800000,current US dollars,worldbank.wdi,2025-07-01,
BX.TRF.PWKR.CD.DT,MEX,2010-01-01,A,22767700000,current US dollars,worldbank.wdi,2025-07-01,
BX.TRF.PWKR.CD.DT,MEX,2015-01-01,A,26824900000,current US dollars,worldbank.wdi,2025-07-01,
BX.TRF.PWKR.CD.DT,MEX,2019-01-01,A,39833500000,current US dollars,worldbank.wdi,2025-07-01,
BX.TRF.PWKR.CD.DT,MEX,2020-01-01,A,43977700000,current US dollars,worldbank.wdi,2025-07-01,
BX.TRF.PWKR.CD.DT,MEX,2021-01-01,A,55067000000,current US dollars,worldbank.wdi,2025-07-01,
BX.TRF.PWKR.CD.DT,MEX,2022-01-01,A,61457700000,current US dollars,worldbank.wdi,2025-07-01,
BX.TRF.PWKR.CD.DT,MEX,2023-01-01,A,66237800000,current US dollars,worldbank.wdi,2025-07-01,
\.

create table lake.corridor_flow (
    sender_iso3 text not null,
    receiver_iso3 text not null,
    year integer not null,
    remittance_usd double precision not null,
    method text not null,
    source_id text not null,
    vintage date not null,
    obs_status text,
    primary key (sender_iso3, receiver_iso3, year, method)
);
comment on table lake.corridor_flow is 'Remittances by sending and receiving economy.';
comment on column lake.corridor_flow.sender_iso3 is 'economy the money is sent from';
comment on column lake.corridor_flow.receiver_iso3 is 'economy the money is received in';
comment on column lake.corridor_flow.year is 'calendar year';
comment on column lake.corridor_flow.remittance_usd is 'remittances in the year';
comment on column lake.corridor_flow.method is 'published_matrix, or estimate_rule_1 to estimate_rule_3';
comment on column lake.corridor_flow.source_id is 'dataset the row comes from: `source.source_id`';
comment on column lake.corridor_flow.vintage is 'date of the publisher''s edition';
comment on column lake.corridor_flow.obs_status is '`A` actual, `E` estimate, `F` forecast, `I` interpolated or imputed; NULL where the publisher does not say';
copy lake.corridor_flow from stdin (format csv);
USA,MEX,2021,52595300000,published_matrix,knomad.bilateral_matrix,2022-12-01,E
SAU,NPL,2021,1692000000,published_matrix,knomad.bilateral_matrix,2022-12-01,E
MYS,NPL,2021,1684700000,published_matrix,knomad.bilateral_matrix,2022-12-01,E
IND,NPL,2021,1583400000,published_matrix,knomad.bilateral_matrix,2022-12-01,E
QAT,NPL,2021,1098600000,published_matrix,knomad.bilateral_matrix,2022-12-01,E
\.

create table fixture.remittance_vs_oda (
    iso3 text,
    name_en text,
    year integer,
    wb_region text,
    income_group text,
    remittance_usd double precision,
    oda_usd double precision,
    remit_oda_ratio double precision,
    remit_exceeds_oda boolean,
    remittance_is_zero boolean,
    gdp_usd double precision,
    remittance_gdp_share double precision,
    oda_gdp_share double precision,
    population_persons double precision,
    remittance_per_head_usd double precision,
    oda_per_head_usd double precision
);
create view mart.remittance_vs_oda as select * from fixture.remittance_vs_oda;
comment on view mart.remittance_vs_oda is 'Personal remittances and net ODA received, side by side (METHODS A1).';
comment on column mart.remittance_vs_oda.iso3 is 'economy, ISO 3166-1 alpha-3';
comment on column mart.remittance_vs_oda.name_en is 'its short name in English';
comment on column mart.remittance_vs_oda.year is 'calendar year';
comment on column mart.remittance_vs_oda.wb_region is 'World Bank region today: EAS, ECS, LCN, MEA, NAC, SAS or SSF';
comment on column mart.remittance_vs_oda.income_group is 'World Bank income group today, applied backwards: LIC, LMC, UMC or HIC; NULL: not classified';
comment on column mart.remittance_vs_oda.remittance_usd is 'personal remittances received (WDI BX.TRF.PWKR.CD.DT)';
comment on column mart.remittance_vs_oda.oda_usd is 'net ODA and official aid received (WDI DT.ODA.ALLD.CD; where the lake has none, DAC2A measure 206); may be negative';
comment on column mart.remittance_vs_oda.remit_oda_ratio is 'remittances over ODA; NULL where ODA is zero or less';
comment on column mart.remittance_vs_oda.remit_exceeds_oda is 'remittances exceed ODA; NULL where either is missing';
comment on column mart.remittance_vs_oda.remittance_is_zero is 'the publisher prints exactly 0, which for some economies means not reported';
comment on column mart.remittance_vs_oda.gdp_usd is 'gross domestic product (WDI NY.GDP.MKTP.CD)';
comment on column mart.remittance_vs_oda.remittance_gdp_share is 'remittances over GDP';
comment on column mart.remittance_vs_oda.oda_gdp_share is 'ODA over GDP';
comment on column mart.remittance_vs_oda.population_persons is 'population at mid-year (WDI SP.POP.TOTL)';
comment on column mart.remittance_vs_oda.remittance_per_head_usd is 'remittances per inhabitant';
comment on column mart.remittance_vs_oda.oda_per_head_usd is 'ODA per inhabitant';
copy fixture.remittance_vs_oda from stdin (format csv);
AFG,Afghanistan,2000,MEA,LIC,,136000000,,,,,,,20780000,,6.544754571703561
AFG,Afghanistan,2005,MEA,LIC,0,2815100000,0,false,true,6226000000,0,0.4521522646964343,25654000,0,109.73337491229438
AFG,Afghanistan,2010,MEA,LIC,378200000,6072400000,0.06228179961794348,false,false,15634000000,0.02419086606114878,0.38840987591147497,29186000,12.95826766257795,208.05865826080998
AFG,Afghanistan,2015,MEA,LIC,348600000,4274200000,0.08155912217490993,false,false,19998000000,0.01743174317431743,0.21373137313731372,34414000,10.12959841924798,124.19945371069913
AFG,Afghanistan,2019,MEA,LIC,828600000,4137600000.0000005,0.2002610208816705,false,false,18905000000,0.043829674689235654,0.21886273472626291,38042000,21.781189211923664,108.76399768676727
AFG,Afghanistan,2020,MEA,LIC,788900000,4210300000,0.18737382134289718,false,false,20143000000,0.0391649704612024,0.2090205034006851,38928000,20.26561857788738,108.15608302507192
AFG,Afghanistan,2021,MEA,LIC,320000000,4691700000,0.06820555448984376,false,false,14583000000,0.021943358705341837,0.3217239251182884,,,
AFG,Afghanistan,2022,MEA,LIC,320000000,3915000000,0.08173690932311622,false,false,,,,,,
AFG,Afghanistan,2023,MEA,LIC,320000000,3060300000,0.10456491193673823,false,false,,,,,,
CHN,China,2000,EAS,UMC,758100000,1749000000,0.4334476843910806,false,false,1211332000000,0.0006258399844138519,0.0014438651005669791,1262645000,0.6004062899706568,1.3851874438183338
CHN,China,2005,EAS,UMC,3337100000,1798300000,1.855697047211255,true,false,2285961000000,0.0014598236802815096,0.0007866713386623831,1303720000,2.559675390421256,1.3793605989016047
CHN,China,2010,EAS,UMC,13636000000,957700000,14.23827921060875,true,false,6087192000000,0.002240113339615376,0.00015733034213476427,1337705000,10.193577806766065,0.7159276522103154
CHN,China,2015,EAS,UMC,33104699999.999996,-306300000,,true,false,11061573000000,0.002992766037886293,-0.000027690455959563797,1371220000,24.142515424220765,-0.22337772202855852
CHN,China,2019,EAS,UMC,18294300000,-607000000,,true,false,14279968000000,0.0012811163162270392,-0.00004250709805512169,1397715000,13.088719803393396,-0.43428023595654336
CHN,China,2020,EAS,UMC,18876300000,-570600000,,true,false,14687744000000,0.0012851735433297312,-0.00003884871631749573,1402112000,13.462761890633558,-0.4069575041080884
CHN,China,2021,EAS,UMC,22479900000,-561900000,,true,false,17820459000000,0.0012614658241967842,-0.00003153117436537409,,,
CHN,China,2022,EAS,UMC,26093600000,-280500000,,true,false,17963171000000,0.0014526165786653148,-0.0000156152830700103,,,
CHN,China,2023,EAS,UMC,29484300000,-267200000,,true,false,,,,,,
IND,India,2000,SAS,LMC,12883500000,1383400000,9.312924678328756,true,false,468395000000,0.027505630931158532,0.002953490109843188,1056576000,12.193633018353625,1.30932370222303
IND,India,2005,SAS,LMC,22125100000,1876000000,11.793763326226014,true,false,820382000000,0.0269692655372741,0.0022867395920437065,1147610000,19.279284774444278,1.6347016843701256
IND,India,2010,SAS,LMC,53480000000,2561100000,20.88165241497794,true,false,1675616000000,0.03191662051448542,0.0015284528197391288,1234281000,43.32886919591244,2.0749732030226506
IND,India,2015,SAS,LMC,68909700000,3174300000,21.70862867403837,true,false,2103588000000,0.03275817317839805,0.0015089932058939299,1310152000,52.596721601768344,2.422848646569253
IND,India,2019,SAS,LMC,83332100000,2551400000,32.661323195108565,true,false,2835606000000,0.029387756973288954,0.0008997723943312294,1366418000,60.98580375843995,1.867217791334716
IND,India,2020,SAS,LMC,83149200000,1795700000,46.304616584061925,true,false,2671595000000,0.031123430010911085,0.0006721452914831776,1380004000,60.252868832264255,1.3012281123822829
IND,India,2021,SAS,LMC,89375200000,3136800000,28.492476409079316,true,false,3150307000000,0.02837031438523293,0.0009957124813549918,,,
IND,India,2022,SAS,LMC,111221800000,2818100000,39.466945814555906,true,false,3385090000000,0.03285637900321705,0.00083250371481999,,,
IND,India,2023,SAS,LMC,119526100000,2376600000,50.292897416477324,true,false,,,,,,
MEX,Mexico,2000,LCN,UMC,7524700000,-40500000,,true,false,707910000000,0.010629458546990437,-0.000057210662372335464,98900000,76.08392315470172,-0.40950455005055614
MEX,Mexico,2005,LCN,UMC,22741800000,200000000,113.709,true,false,877477000000,0.02591726050939227,0.00022792620205429887,106005000,214.535163435687,1.8867034573840857
MEX,Mexico,2010,LCN,UMC,22767700000,436000000,52.21949541284404,true,false,1057801000000,0.021523613609743232,0.00041217582513157014,114093000,199.55387271787052,3.821443909792888
MEX,Mexico,2015,LCN,UMC,26824900000,321100000,83.54064154469013,true,false,1171870000000,0.0228906790002304,0.0002740065024277437,121858000,220.13244924420226,2.635034220157889
MEX,Mexico,2019,LCN,UMC,39833500000,526299999.99999994,75.68592057761734,true,false,1269010000000,0.03138942955532265,0.0004147327444228177,127576000,312.23349219288895,4.125384084780836
MEX,Mexico,2020,LCN,UMC,43977700000,795000000,55.317861635220126,true,false,1090515000000,0.040327459961577786,0.0007290133560748821,128933000,341.0895581426012,6.1659931902616085
MEX,Mexico,2021,LCN,UMC,55067000000,564800000,97.49822946175638,true,false,1272839000000,0.04326313068659901,0.00044373247519914144,,,
MEX,Mexico,2022,LCN,UMC,61457700000,496700000,123.7320314072881,true,false,1414187000000,0.04345797267263806,0.00035122653510462196,,,
MEX,Mexico,2023,LCN,UMC,66237800000,451700000,146.64113349568296,true,false,,,,,,
NPL,Nepal,2000,SAS,LMC,111500000,311200000,0.3582904884318766,false,false,5494000000,0.020294867127775756,0.05664361121223153,23941000,4.657282486111691,12.998621611461509
NPL,Nepal,2005,SAS,LMC,1211800000,407200000,2.975933202357564,true,false,8130000000,0.1490528905289053,0.05008610086100861,25744000,47.071162212554384,15.81727781230578
NPL,Nepal,2010,SAS,LMC,3464100000,636300000,5.444130127298444,true,false,16003000000,0.21646566268824596,0.03976129475723302,27013000,128.2382556546848,23.555325213785956
NPL,Nepal,2015,SAS,LMC,6729900000,1224400000,5.496488075792225,true,false,24361000000,0.2762571323016296,0.05026066253437872,27015000,249.11715713492504,45.32296872108088
NPL,Nepal,2019,SAS,LMC,8244500000,1333600000,6.182138572285543,true,false,34186000000,0.24116597437547535,0.03901012110220558,28609000,288.17854521304486,46.61470166730749
NPL,Nepal,2020,SAS,LMC,8107700000,1760100000,4.60638600079541,true,false,33434000000,0.24249865406472454,0.05264401507447509,29137000,278.2613172255208,60.40772900435872
NPL,Nepal,2021,SAS,LMC,8226000000,1599900000,5.141571348209263,true,false,36925000000,0.2227758970886933,0.0433283683141503,,,
NPL,Nepal,2022,SAS,LMC,9069400000,1198700000,7.566029865687828,true,false,40828000000,0.22213676888409914,0.029359753110610367,,,
NPL,Nepal,2023,SAS,LMC,10396100000,1173100000,8.86207484442929,true,false,,,,,,
SYR,Syria,2000,MEA,LIC,180000000,159800000,1.1264080100125156,true,false,80590000000,0.002233527732969351,0.0019828762873805683,16411000,10.96825300103589,9.737371275364085
SYR,Syria,2005,MEA,LIC,823000000,71100000,11.575246132208157,true,false,134204000000,0.006132455068403327,0.0005297904682423773,18361000,44.8232667066064,3.8723381079461903
SYR,Syria,2010,MEA,LIC,1622500000,174100000,9.319356691556576,true,false,252518000000,0.006425284534171821,0.0006894558011706096,21363000,75.94907082338622,8.149604456302953
SYR,Syria,2015,MEA,LIC,0,4920500000,0,false,true,16468000000,0,0.2987915958222006,17997000,0,273.4066788909263
SYR,Syria,2019,MEA,LIC,0,10125900000,0,false,true,22601000000,0,0.4480288482810495,17070000,0,593.1985940246045
SYR,Syria,2020,MEA,LIC,0,10036400000,0,false,true,11159000000,0,0.8993995877766825,17501000,0,573.4758013827782
SYR,Syria,2021,MEA,LIC,0,9691900000,0,false,true,,,,,,
SYR,Syria,2022,MEA,LIC,0,7182900000,0,false,true,,,,,,
SYR,Syria,2023,MEA,LIC,0,9206300000,0,false,true,,,,,,
\.

grant select on all tables in schema mart, lake to envoi_reader;
analyze;
