// The PostgreSQL JDBC driver: metadata, prepared statements, portals, binary transfer, timeouts, cancelling.
// java -cp postgresql.jar Client.java

import java.math.BigDecimal;
import java.sql.*;
import java.time.*;
import java.util.*;

public class Client {
    // Runs until it is stopped.
    static final String ENDLESS = "select count(*) from generate_series(1, 1000000) as a(n),"
        + " generate_series(1, 1000000) as b(n) where a.n % b.n = -1";
    static final List<Integer> YEARS = List.of(2000, 2005, 2010, 2015, 2019, 2020, 2021, 2022, 2023);
    static final String MEXICO = "select iso3, year, remittance_usd from mart.remittance_vs_oda where iso3 = ? order by year";

    static void same(String what, Object got, Object want) {
        if (!Objects.equals(got, want)) fail(what + ": " + got + ", not " + want);
    }

    static void fail(String what) {
        System.err.println("wrong: " + what);
        System.exit(1);
    }

    interface Work { void run() throws SQLException; }

    static void fails(String what, Work work, String... states) {
        try {
            work.run();
        } catch (SQLException error) {
            if (!List.of(states).contains(error.getSQLState()))
                fail(what + ": SQLSTATE " + error.getSQLState() + ", not " + String.join(" or ", states) + ": " + error.getMessage());
            return;
        }
        fail(what + ": no error");
    }

    static String env(String name, String otherwise) {
        String value = System.getenv(name);
        return value == null || value.isEmpty() ? otherwise : value;
    }

    static Connection connect(String... options) throws SQLException {
        var settings = new Properties();
        settings.put("user", env("PGUSER", "envoi_reader"));
        if (!env("PGPASSWORD", "").isEmpty()) settings.put("password", env("PGPASSWORD", ""));
        for (int i = 0; i < options.length; i += 2) settings.put(options[i], options[i + 1]);
        return DriverManager.getConnection("jdbc:postgresql://" + env("PGHOST", "127.0.0.1") + ":" + env("PGPORT", "5432") + "/" + env("PGDATABASE", "envoi"), settings);
    }

    /** One column of a result, as texts. */
    static List<String> column(ResultSet rows, String... names) throws SQLException {
        var all = new ArrayList<String>();
        while (rows.next()) {
            var one = new StringJoiner(" ");
            for (String name : names) one.add(String.valueOf(rows.getString(name)));
            all.add(one.toString());
        }
        rows.close();
        return all;
    }

    static void has(String what, List<String> got, String... wanted) {
        if (!got.containsAll(List.of(wanted))) fail(what + ": " + got + " lacks one of " + List.of(wanted));
    }

    static void metadata(Connection db) throws SQLException {
        DatabaseMetaData about = db.getMetaData();
        same("product", about.getDatabaseProductName(), "PostgreSQL");
        if (about.getDatabaseMajorVersion() < 10) fail("version: " + about.getDatabaseProductVersion());
        has("catalogs", column(about.getCatalogs(), "TABLE_CAT"), env("PGDATABASE", "envoi"));
        has("schemas", column(about.getSchemas(), "TABLE_SCHEM"), "lake", "mart", "pg_catalog", "information_schema");
        has("kinds", column(about.getTableTypes(), "TABLE_TYPE"), "TABLE", "VIEW");
        has("tables", column(about.getTables(null, "lake", "%", new String[] {"TABLE"}), "TABLE_SCHEM", "TABLE_NAME", "TABLE_TYPE"),
            "lake country TABLE", "lake indicator TABLE", "lake corridor_flow TABLE");
        same("view", column(about.getTables(null, "mart", "remittance_vs\\_oda", new String[] {"VIEW"}), "TABLE_NAME", "TABLE_TYPE"), List.of("remittance_vs_oda VIEW"));
        same("remarks", column(about.getTables(null, "lake", "indicator", null), "REMARKS"), List.of("Indicators with name, unit and definition; one row per indicator"));
        var columns = column(about.getColumns(null, "mart", "remittance_vs_oda", "%"), "ORDINAL_POSITION", "COLUMN_NAME", "TYPE_NAME", "DATA_TYPE");
        same("columns", columns.size(), 16);
        has("columns", columns, "1 iso3 text " + Types.VARCHAR, "3 year int4 " + Types.INTEGER, "6 remittance_usd float8 " + Types.DOUBLE,
            "9 remit_exceeds_oda bool " + Types.BIT);
        same("nullable", column(about.getColumns(null, "lake", "indicator", "%"), "COLUMN_NAME", "IS_NULLABLE", "DATA_TYPE"),
            List.of("indicator NO 12", "name NO 12", "unit YES 12", "definition YES 12", "source_id NO 12", "vintage NO " + Types.DATE));
        same("comment", column(about.getColumns(null, "mart", "remittance_vs_oda", "iso3"), "REMARKS"), List.of("economy, ISO 3166-1 alpha-3"));
        same("key", column(about.getPrimaryKeys(null, "lake", "indicator"), "COLUMN_NAME", "KEY_SEQ"), List.of("indicator 1"));
        has("key of four", column(about.getPrimaryKeys(null, "lake", "corridor_flow"), "COLUMN_NAME", "KEY_SEQ"),
            "sender_iso3 1", "receiver_iso3 2", "year 3", "method 4");
        // Marts are views with keys, which PostgreSQL has not.
        List<String> key = column(about.getPrimaryKeys(null, "mart", "remittance_vs_oda"), "COLUMN_NAME");
        same("key of a view", key.isEmpty() || key.equals(List.of("iso3", "year")), true);
        List<String> imported = column(about.getImportedKeys(null, "lake", "corridor_flow"), "FKCOLUMN_NAME");
        same("imported", imported.isEmpty() || imported.contains("sender_iso3"), true);
        same("exported", column(about.getExportedKeys(null, "lake", "corridor_flow"), "FKCOLUMN_NAME"), List.of());
        same("index of the key", column(about.getIndexInfo(null, "lake", "indicator", true, true), "COLUMN_NAME", "NON_UNIQUE"), List.of("indicator f"));
        has("types", column(about.getTypeInfo(), "TYPE_NAME", "DATA_TYPE"), "int4 4", "float8 8", "text 12", "date 91", "numeric 2", "bool -7");
        has("functions", column(about.getFunctions(null, "pg_catalog", "version"), "FUNCTION_NAME"), "version");
        has("privileges", column(about.getTablePrivileges(null, "lake", "indicator"), "PRIVILEGE"), "SELECT");
        about.getBestRowIdentifier(null, "lake", "indicator", DatabaseMetaData.bestRowSession, true).close();
        about.getProcedures(null, null, "gini").close();
        about.getUDTs(null, null, "%", null).close();
        about.getClientInfoProperties().close();
    }

    static void statements(Connection db) throws SQLException {
        var found = new ArrayList<Integer>();
        try (var ask = db.prepareStatement(MEXICO)) {
            same("parameters", ask.getParameterMetaData().getParameterTypeName(1), "text");
            ResultSetMetaData about = ask.getMetaData();
            same("described", about.getColumnName(2) + " " + about.getColumnTypeName(2) + " " + about.getColumnClassName(3), "year int4 java.lang.Double");
            same("base", ((org.postgresql.PGResultSetMetaData) about).getBaseTableName(3), "remittance_vs_oda");
            same("base column", ((org.postgresql.PGResultSetMetaData) about).getBaseColumnName(3), "remittance_usd");
            same("counts by itself", about.isAutoIncrement(2), false);
            for (int i = 0; i < 8; i++) { // past the threshold the server prepares it, and values come in binary
                ask.setString(1, "MEX");
                found.clear();
                try (var rows = ask.executeQuery()) {
                    while (rows.next()) {
                        found.add(rows.getInt("year"));
                        if (rows.getInt(2) == 2023) same("value", rows.getDouble(3), 66237800000.0);
                    }
                }
                same("years, run " + i, found, YEARS);
            }
        }
        String all = "select 1::int2, 9007199254740993::int8, 0.5::float4, 0.1::float8, 1.10::numeric(10,2), 'ж'::text, true, date '2020-02-29',"
            + " time '10:11:12', timestamp '2020-02-29 10:11:12.5', timestamptz '2020-02-29 10:00:00+03', '\\x00ff'::bytea,"
            + " array[1,null,3]::int4[], array['a','b,c']::text[], null::float8, ?::int4";
        for (int i = 0; i < 7; i++) {
            try (var ask = db.prepareStatement(all)) {
                ask.setInt(1, i);
                var row = ask.executeQuery();
                row.next();
                same("int2", row.getShort(1), (short) 1);
                same("int8", row.getObject(2), 9007199254740993L);
                same("float4", row.getObject(3), 0.5f);
                same("float8", row.getObject(4), 0.1);
                same("numeric", row.getObject(5), new BigDecimal("1.10"));
                same("text", row.getObject(6), "ж");
                same("bool", row.getObject(7), true);
                same("date", row.getObject(8, LocalDate.class), LocalDate.of(2020, 2, 29));
                same("time", row.getObject(9, LocalTime.class), LocalTime.of(10, 11, 12));
                same("timestamp", row.getObject(10, LocalDateTime.class), LocalDateTime.of(2020, 2, 29, 10, 11, 12, 500_000_000));
                same("timestamptz", row.getObject(11, OffsetDateTime.class).toInstant(), Instant.parse("2020-02-29T07:00:00Z"));
                same("bytea", Arrays.toString(row.getBytes(12)), "[0, -1]");
                same("int4[]", Arrays.asList((Object[]) row.getArray(13).getArray()), Arrays.asList(1, null, 3));
                same("text[]", Arrays.asList((Object[]) row.getArray(14).getArray()), List.of("a", "b,c"));
                same("null", row.getObject(15) == null && row.wasNull(), true);
                same("parameter", row.getInt(16), i);
                ResultSetMetaData about = row.getMetaData();
                same("precision", about.getPrecision(5) + " " + about.getScale(5), "10 2");
            }
        }
        try (var ask = db.prepareStatement("select iso3 from lake.country where iso3 = any(?) order by 1")) {
            ask.setArray(1, db.createArrayOf("text", new String[] {"NPL", "MEX"}));
            same("any", column(ask.executeQuery(), "iso3"), List.of("MEX", "NPL"));
        }
        try (var ask = db.prepareStatement("select ?::date, ?::numeric, ?::timestamptz, ?::float8, ?::text")) {
            ask.setObject(1, LocalDate.of(1999, 12, 31));
            ask.setBigDecimal(2, new BigDecimal("-0.0010"));
            ask.setObject(3, OffsetDateTime.parse("2020-01-01T00:00:00Z"));
            ask.setDouble(4, Double.POSITIVE_INFINITY);
            ask.setNull(5, Types.VARCHAR);
            var row = ask.executeQuery();
            row.next();
            same("parameters round", row.getString(1) + " " + row.getBigDecimal(2).setScale(4) + " " + row.getObject(3, OffsetDateTime.class).toInstant() + " " + row.getDouble(4) + " " + row.getString(5),
                "1999-12-31 -0.0010 2020-01-01T00:00:00Z Infinity null");
        }
        try (var several = db.createStatement()) {
            same("first of two", several.execute("select 1; select 2"), true);
            same("second of two", several.getMoreResults(), true);
            var second = several.getResultSet();
            second.next();
            same("its value", second.getInt(1), 2);
        }
    }

    static void portals(Connection db) throws SQLException {
        db.setAutoCommit(false);
        try (var ask = db.prepareStatement("select n from generate_series(1, 1000) as t(n) order by n")) {
            ask.setFetchSize(64);
            for (int i = 0; i < 7; i++) {
                long sum = 0;
                try (var rows = ask.executeQuery()) {
                    while (rows.next()) sum += rows.getLong(1);
                }
                same("by pieces of 64", sum, 500500L);
            }
            var half = ask.executeQuery();
            half.next();
            half.close(); // the portal is closed with the rest unread
        }
        db.commit();
        Savepoint here = db.setSavepoint("here");
        fails("column", () -> db.createStatement().executeQuery("select nothing"), "42703");
        db.rollback(here);
        same("after the savepoint", column(db.createStatement().executeQuery("select 1 as a"), "a"), List.of("1"));
        db.commit();
        db.setReadOnly(true);
        db.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
        same("isolation", column(db.createStatement().executeQuery("show transaction_isolation"), "transaction_isolation"), List.of("serializable"));
        db.rollback();
        db.setReadOnly(false);
        db.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        db.setAutoCommit(true);
    }

    static void errors(Connection db) throws Exception {
        var ask = db.createStatement();
        fails("table", () -> ask.executeQuery("select * from lake.nothing"), "42P01");
        fails("syntax", () -> ask.executeQuery("selekt"), "42601");
        fails("division", () -> ask.executeQuery("select 1 / (year - year) from mart.remittance_vs_oda"), "22012");
        fails("insert", () -> ask.executeUpdate("insert into lake.indicator (indicator) values ('x')"), "25006", "42501");
        fails("batch", () -> {
            ask.addBatch("update lake.country set iso3 = 'x'");
            ask.addBatch("delete from lake.country");
            ask.executeBatch();
        }, "25006", "42501");
        ask.clearBatch();
        ask.setQueryTimeout(1);
        fails("timeout of the driver", () -> ask.executeQuery(ENDLESS), "57014");
        ask.setQueryTimeout(0);
        var timer = new Timer(true);
        timer.schedule(new TimerTask() {
            @Override public void run() {
                try { ask.cancel(); } catch (SQLException error) { fail("cancel: " + error); }
            }
        }, 400);
        fails("cancelled", () -> ask.executeQuery(ENDLESS), "57014");
        same("afterwards", column(ask.executeQuery("select 3 as a"), "a"), List.of("3"));
        same("valid", db.isValid(2), true);
        same("schema", db.getSchema() != null, true);
        var copy = db.unwrap(org.postgresql.PGConnection.class).getCopyAPI();
        var out = new java.io.StringWriter();
        same("rows copied", copy.copyOut("copy (select iso3, year from mart.remittance_vs_oda where iso3 = 'MEX' and year < 2006 order by year) to stdout", out), 2L);
        same("copied", out.toString(), "MEX\t2000\nMEX\t2005\n");
    }

    public static void main(String[] none) throws Exception {
        try (var db = connect("ApplicationName", "envoi clients")) {
            metadata(db);
            statements(db);
            portals(db);
            errors(db);
        }
        for (String mode : List.of("simple", "extendedForPrepared")) {
            try (var db = connect("preferQueryMode", mode, "prepareThreshold", "1")) {
                brief(db);
            }
        }
        System.out.println("jdbc: ok");
    }

    static void brief(Connection db) throws SQLException {
        try (var ask = db.prepareStatement(MEXICO)) {
            ask.setString(1, "MEX");
            same("years", column(ask.executeQuery(), "year"), YEARS.stream().map(String::valueOf).toList());
        }
    }
}
