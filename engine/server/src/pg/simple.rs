//! The simple protocol: one text, of one or more statements.

use std::sync::Arc;

use super::command::{Command, command};
use super::connection::Connection;
use super::error::Result;
use super::extended::tag_of;
use super::run::Outcome;
use super::wire::backend;
use super::words::statements;

impl Connection {
    /// Runs the statements of a text one after another, until one fails.
    pub(super) async fn simple(&mut self, sql: &str) -> Result<()> {
        let all = statements(sql)?;
        if all.is_empty() {
            backend::empty_query(&mut self.out);
            return Ok(());
        }
        let interrupts = self.interrupts.until(self.until());
        // Several statements of one text see one version of the lake, as in a transaction.
        let several = all.len() > 1 && !self.transaction.is_open();
        if several {
            let pinned = self.session.pin().await;
            pinned.map_err(|e| super::sqlstate::of_engine(&e, "", ""))?;
        }
        for (begin, text, words) in all {
            let command = command(&text, &words)?;
            self.allowed(&command)?;
            let before = sql.get(..begin).unwrap_or_default();
            let statement = Arc::new(self.planned(command, text, &[], before).await?);
            let outcome = self.start(&statement, Vec::new(), &interrupts).await?;
            self.finish(outcome, &statement.command, &interrupts).await?;
        }
        Ok(())
    }

    async fn finish(
        &mut self,
        outcome: Outcome,
        command: &Command,
        interrupts: &super::interrupts::Interrupts,
    ) -> Result<()> {
        match outcome {
            Outcome::Rows(rows) => self.send_all(rows, |rows| tag_of(command, rows), interrupts).await,
            Outcome::Done(tag) => {
                backend::command_complete(&mut self.out, &tag);
                Ok(())
            }
            Outcome::Fetched { cursor, direction } => {
                let portal = self.portals.get(&cursor);
                if let Some(schema) = portal.and_then(|p| p.statement.columns.clone()) {
                    let formats = portal.map(|p| p.formats.clone()).unwrap_or_default();
                    backend::row_description(&mut self.out, &super::portal::columns(&schema, &formats))?;
                }
                self.fetch(&cursor, direction, None, interrupts).await
            }
            Outcome::Copied => Ok(()),
        }
    }
}
