use catalog::{Catalog, CatalogSettings, NewAccount, Role, ServiceRole};
use domain::{PasswordHash, Username};
use process::{
    Clock,
    settings::{Reader, Sources},
};

use crate::Failure;

/// The database as its owner sees it.
pub(crate) fn open(reader: &mut Reader) -> CatalogSettings {
    let url = reader.value("BERTH_DATABASE_URL", String::new());
    CatalogSettings {
        url,
        connections: 2,
        application_name: "berth command line",
    }
}

/// Brings the tables up to date.
pub(crate) async fn migrate(sources: Sources) -> Result<(), Failure> {
    let mut reader = Reader::new(sources);
    let settings = open(&mut reader);
    let catalog = Catalog::new(&reader.finish(settings)?)?;
    let applied = catalog::migrate(&catalog).await?;
    println!(
        "The tables are up to date; {applied} migrations applied. 数据库表结构已是最新，本次应用 {applied} 项迁移。"
    );
    Ok(())
}

/// Migrates, lets the services' roles in and makes the first account. Safe to repeat.
pub(crate) async fn setup(sources: Sources) -> Result<(), Failure> {
    let mut reader = Reader::new(sources.clone());
    let roles = [
        (ServiceRole::Upload, reader.secret("BERTH_DB_UPLOAD_PASSWORD")),
        (ServiceRole::Serve, reader.secret("BERTH_DB_SERVE_PASSWORD")),
        (ServiceRole::Janitor, reader.secret("BERTH_DB_JANITOR_PASSWORD")),
    ];
    let username = reader.value_with("BERTH_ADMIN_USERNAME", None, |text| {
        text.parse::<Username>().map(Some)
    });
    let salt = process::random();
    let password = reader.value_with("BERTH_ADMIN_PASSWORD", None, |text| {
        PasswordHash::derive(text, salt).map(Some)
    });
    let settings = open(&mut reader);
    let (settings, username, password) = reader.finish((settings, username, password))?;
    migrate(sources).await?;
    let catalog = Catalog::new(&settings)?;
    for (role, password) in roles {
        catalog::let_in(&catalog, role, Some(&password)).await?;
    }
    let (Some(username), Some(password)) = (username, password) else {
        return Ok(());
    };
    if catalog::has_accounts(&catalog).await? {
        println!("There are accounts already; none was made. 账号已存在，未新建。");
        return Ok(());
    }
    let account = NewAccount {
        username: &username,
        role: Role::Admin,
        password_hash: password.as_phc(),
    };
    catalog::create_account(&catalog, &account, Clock::system().now()).await?;
    println!(
        "Made the first account, {username}; its password is BERTH_ADMIN_PASSWORD. 已创建首个账号 {username}。"
    );
    println!(
        "Next, a token · 下一步，创建令牌:  docker compose run --rm berth token create --account {username}"
    );
    Ok(())
}
