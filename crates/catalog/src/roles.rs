use crate::{Catalog, Error};

/// A service's own role in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceRole {
    /// upload-svc.
    Upload,
    /// serve-svc.
    Serve,
    /// The janitor.
    Janitor,
}

impl ServiceRole {
    /// The role's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Upload => "berth_upload",
            Self::Serve => "berth_serve",
            Self::Janitor => "berth_janitor",
        }
    }
}

/// Lets a role log in, with a password where it does not come by a private socket. The connection must be the owner's.
pub async fn let_in(catalog: &Catalog, role: ServiceRole, password: Option<&str>) -> Result<(), Error> {
    let client = catalog.client("let a role in").await?;
    let password = password.map_or_else(String::new, |password| format!(" PASSWORD {}", literal(password)));
    // ALTER ROLE takes no parameters; the name is ours and the password is quoted.
    let statement = format!("ALTER ROLE {} LOGIN{password}", role.name());
    client
        .batch_execute(&statement)
        .await
        .map_err(Error::statement("let a role in"))
}

/// Text as an SQL literal, whatever `standard_conforming_strings` says.
fn literal(text: &str) -> String {
    format!(" E'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Makes a database on a server of our own, unless it is there. The connection must be a superuser's, to another database.
pub async fn create_database(catalog: &Catalog, name: &str) -> Result<(), Error> {
    const OPERATION: &str = "create the database";
    let client = catalog.client(OPERATION).await?;
    let there = client
        .query_one(
            "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)",
            &[&name],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    if there.get(0) {
        return Ok(());
    }
    let statement = format!("CREATE DATABASE \"{}\"", name.replace('"', "\"\""));
    client
        .batch_execute(&statement)
        .await
        .map_err(Error::statement(OPERATION))
}
