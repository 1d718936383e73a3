//! Readers against real publisher files and broken ones.

use std::path::Path;

use envoi_lake::read::{Cell, Grid, Kind, Limits, Workbook, gunzip, kind_of, read_csv, unzip};
use envoi_lake::{Class, Result};
use rust_xlsxwriter as out;

use crate::{files_below, shared};

/// Every grid in a file, archives opened.
fn grids(bytes: Vec<u8>, file: &str) -> Result<Vec<Grid>> {
    let limits = Limits::default();
    match kind_of(&bytes) {
        Kind::Xlsx | Kind::Xls => {
            let mut book = Workbook::open(bytes, file, &limits)?;
            let names: Vec<_> = book.sheets().iter().map(|s| s.name.clone()).collect();
            names.iter().map(|name| book.grid(name)).collect()
        }
        Kind::Gzip => grids(gunzip(&bytes, file, &limits)?, file),
        Kind::Zip => {
            let mut all = Vec::new();
            for (name, bytes) in unzip(&bytes, file, &limits)? {
                all.extend(grids(bytes, &format!("{file}/{name}"))?);
            }
            Ok(all)
        }
        Kind::Json | Kind::Stata => Ok(Vec::new()),
        _ => Ok(vec![read_csv(&bytes, file, &limits)?.grid]),
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn real_files_open() {
    let Some(folder) = shared("data") else { return };
    let mut read = 0;
    for path in files_below(&folder) {
        let bytes = std::fs::read(&path).unwrap();
        let kind = kind_of(&bytes);
        let grids = grids(bytes, &name(&path)).unwrap_or_else(|e| panic!("{e}"));
        let (rows, cells): (usize, usize) =
            grids.iter().flat_map(|g| &g.rows).fold((0, 0), |(r, c), row| (r + 1, c + row.cells.len()));
        eprintln!("{:60} {kind:?} {} grids {rows} rows {cells} cells", name(&path), grids.len());
        if !matches!(kind, Kind::Json | Kind::Stata) {
            assert!(rows >= 2, "{}", name(&path));
            read += 1;
        }
    }
    assert!(read >= 30, "only {read} files were read");
}

#[test]
fn bombs_and_lies_are_refused_by_name() {
    let Some(folder) = shared("corpus/messy") else {
        return;
    };
    let refused = [
        ("x6_entity_bomb.xlsx", "defines a document type"),
        ("x7_zip_bomb_200mb.xlsx", "setting `import.ratio`"),
        ("x8_zip_slip.xlsx", "outside its folder"),
        ("x9_encrypted_ole_header.xlsx", "encrypted or old .xls"),
        ("x10_truncated.xlsx", "cut short"),
        ("27_html_as_xls.xls", "HTML"),
    ];
    for (file, words) in refused {
        let bytes = std::fs::read(folder.join(file)).unwrap();
        let error = match kind_of(&bytes) {
            Kind::Zip => unzip(&bytes, file, &Limits::default()).unwrap_err(),
            _ => Workbook::open(bytes, file, &Limits::default()).err().unwrap(),
        };
        assert!(error.to_string().contains(words), "{file}: {error}");
        assert!(matches!(error.class(), Class::Data | Class::Resource), "{error}");
    }
    let lies = std::fs::read(folder.join("x5_dimension_lies.xlsx")).unwrap();
    assert_eq!(grids(lies, "x5").unwrap()[0].rows.len(), 2);
}

/// A workbook with what statistical offices put into theirs.
fn workbook() -> Vec<u8> {
    let mut book = out::Workbook::new();
    let sheet = book.add_worksheet().set_name("Data").unwrap();
    let day = out::Format::new().set_num_format("yyyy-mm-dd");
    sheet.write(0, 0, "country").unwrap();
    sheet.merge_range(0, 1, 0, 2, "flows", &out::Format::new()).unwrap();
    sheet.write(2, 0, "Kenya").unwrap();
    sheet.write(2, 1, 0.1).unwrap();
    sheet.write_with_format(2, 2, out::ExcelDateTime::from_ymd(2003, 12, 31).unwrap(), &day).unwrap();
    sheet.write(2, 3, true).unwrap();
    sheet.set_row_hidden(2).unwrap();
    let hidden = book.add_worksheet().set_name("Notes & <more>").unwrap();
    hidden.set_hidden(true).write(4, 5, "x").unwrap();
    book.save_to_buffer().unwrap()
}

#[test]
fn workbook_cells() {
    let mut book = Workbook::open(workbook(), "w.xlsx", &Limits::default()).unwrap();
    let sheets: Vec<_> = book.sheets().iter().map(|s| (s.name.as_str(), s.hidden)).collect();
    assert_eq!(sheets, [("Data", false), ("Notes & <more>", true)]);
    let (grid, merges) = book.grid_and_merges("Data").unwrap();
    assert_eq!(merges.len(), 1);
    assert_eq!((merges[0].rows, merges[0].columns), ((1, 1), (1, 2)));
    assert_eq!(grid.rows.iter().map(|r| (r.number, r.hidden)).collect::<Vec<_>>(), [(1, false), (3, true)]);
    let day = chrono::NaiveDate::from_ymd_opt(2003, 12, 31).unwrap().and_hms_opt(0, 0, 0).unwrap();
    let cells = [Cell::Text("Kenya".into()), Cell::Number(0.1), Cell::Date(day), Cell::Bool(true)];
    assert_eq!(grid.rows[1].cells, cells);
    let notes = book.grid("Notes & <more>").unwrap();
    assert_eq!((notes.rows[0].number, notes.rows[0].cells.len()), (5, 6));
    assert!(book.grid("data").unwrap_err().to_string().contains("it has `Data`"));
}

#[test]
fn cut_and_damaged_files_never_panic() {
    let ours = workbook();
    for cut in (0..ours.len()).step_by(97) {
        assert!(grids(ours[..cut].to_vec(), "cut.xlsx").is_err());
    }
    let mut state = 1u32;
    for _ in 0..300 {
        let mut bytes = ours.clone();
        for _ in 0..4 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = state as usize % bytes.len();
            bytes[at] = (state >> 24) as u8;
        }
        // Damage may fall where it does not show; it must only not panic.
        drop(grids(bytes, "damaged.xlsx"));
    }
    let Some(folder) = shared("data") else { return };
    for file in ["worldbank_wdi/sending-cost-to-country.xls", "oecd_dac/Deflators_base_2011.xls"] {
        let whole = std::fs::read(folder.join(file)).unwrap();
        for cut in [0, 8, 511, 512, 1000, 4096, 30_000, 80_000] {
            assert!(grids(whole[..cut].to_vec(), "cut.xls").is_err(), "{file} {cut}");
        }
        for _ in 0..200 {
            let mut bytes = whole.clone();
            for _ in 0..8 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = state as usize % bytes.len();
                bytes[at] = (state >> 24) as u8;
            }
            drop(grids(bytes, "damaged.xls"));
        }
    }
}

#[test]
fn fuzzed_text_is_read_or_refused() {
    let Some(folder) = shared("corpus/csv_fuzz") else {
        return;
    };
    for path in files_below(&folder) {
        drop(grids(std::fs::read(&path).unwrap(), &name(&path)));
    }
}
