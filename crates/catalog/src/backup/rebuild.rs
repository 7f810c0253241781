use tokio_postgres::Client;

use crate::Error;

/// What is taken off the tables while they are filled and put back when they are full: rows that are checked and indexed all at
/// once take a fraction of the time, and of the server's memory.
#[derive(Debug, Default)]
pub(super) struct Rebuild {
    off: Vec<String>,
    back: Vec<String>,
}

impl Rebuild {
    /// Looks up what there is: references, then indexes. An index on a function of ours stays: newer servers run such a function
    /// without our search path while they make an index, and with it while rows come in.
    pub(super) async fn plan(client: &Client, operation: &'static str) -> Result<Self, Error> {
        const REFERENCES: &str = "
            SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
                   format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
            FROM pg_constraint
            WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND conparentid = 0
            ORDER BY conrelid::regclass::text, conname";
        const INDEXES: &str = "
            SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
            FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
            WHERE relnamespace = 'public'::regnamespace AND NOT relispartition
                  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
                  AND NOT EXISTS (
                      SELECT FROM pg_depend JOIN pg_proc ON pg_proc.oid = refobjid
                      WHERE classid = 'pg_class'::regclass AND objid = indexrelid AND refclassid = 'pg_proc'::regclass
                            AND pronamespace = 'public'::regnamespace)
            ORDER BY relname";
        let mut plan = Self::default();
        for sql in [REFERENCES, INDEXES] {
            for row in client
                .query(sql, &[])
                .await
                .map_err(Error::statement(operation))?
            {
                plan.off.push(row.get(0));
                plan.back.push(row.get(1));
            }
        }
        // Indexes before the references that are checked by them.
        plan.back.reverse();
        Ok(plan)
    }

    pub(super) fn off(&self) -> String {
        self.off.join(";\n")
    }

    pub(super) fn back(&self) -> &[String] {
        &self.back
    }
}
