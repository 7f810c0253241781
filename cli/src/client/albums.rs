//! `berth album`, and albums by their names.

use http::Method;
use process::Person;
use serde::Deserialize;
use serde_json::json;

use super::{
    api::{Api, Ask},
    args::AlbumCommand,
    image::read_id,
    session::connect,
    table::Table,
    words::{Words, plain},
};
use crate::Failure;

/// An album, as far as it is looked at here.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Album {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[serde(default)]
    description: String,
    images: u64,
    is_default: bool,
}

impl Album {
    /// Its number and its name; none for the default album, which every account has under that name.
    pub(crate) fn name_unless_default(self) -> Option<(i64, String)> {
        (!self.is_default).then_some((self.id, self.name))
    }
}

#[derive(Deserialize)]
struct Page {
    albums: Vec<Album>,
    next: Option<String>,
}

/// All of one's albums.
pub(crate) async fn all(api: &Api) -> Result<Vec<Album>, Failure> {
    let mut albums = Vec::new();
    let mut path = "/v1/albums?limit=200".to_owned();
    loop {
        let page: Page = api.json(Ask::get(path)).await?;
        albums.extend(page.albums);
        match page.next {
            Some(next) => {
                let after: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
                path = format!("/v1/albums?limit=200&after={after}");
            }
            None => return Ok(albums),
        }
    }
}

/// The number of the album that somebody means: by its name, else by its number.
pub(crate) async fn find(api: &Api, text: &str) -> Result<i64, Failure> {
    let albums = match all(api).await {
        // A token that may only upload knows no names.
        Err(error) => return text.parse().map_err(|_| error),
        Ok(albums) => albums,
    };
    let by_name = albums.iter().find(|album| album.name == text);
    let found = by_name.or_else(|| {
        let number: i64 = text.parse().ok()?;
        albums.iter().find(|album| album.id == number)
    });
    let words = api.words();
    let found = found.ok_or_else(|| {
        words.pick(
            format!("there is no album {text:?}; `berth album list` tells which there are, `berth album create` makes one"),
            format!("没有相册 {text:?}；`berth album list` 列出已有的，`berth album create` 可新建"),
        )
    })?;
    Ok(found.id)
}

/// Makes an album.
pub(crate) async fn create(api: &Api, name: &str, description: &str) -> Result<Album, Failure> {
    let body = json!({ "name": name, "description": description });
    Ok(api.json(Ask::post("/v1/albums", &body)).await?)
}

/// `berth album`.
pub(crate) async fn run(person: &Person, words: Words, command: AlbumCommand) -> Result<(), Failure> {
    let api = connect(person, words)?;
    match command {
        AlbumCommand::List => list(&api).await?,
        AlbumCommand::Create { name, description } => {
            let made = create(&api, &name, description.as_deref().unwrap_or_default()).await?;
            say!("{}", made.id);
        }
        AlbumCommand::Rename { album, name } => {
            let id = find(&api, &album).await?;
            let ask = Ask::new(Method::PATCH, format!("/v1/albums/{id}"));
            api.ask(ask.json(&json!({ "name": name }))).await?;
        }
        AlbumCommand::Rm { album, with_images } => {
            let id = find(&api, &album).await?;
            let query = if with_images { "?images=withdraw" } else { "" };
            api.ask(Ask::new(Method::DELETE, format!("/v1/albums/{id}{query}")))
                .await?;
        }
        AlbumCommand::Move { album, images } => {
            let id = find(&api, &album).await?;
            let ids: Result<Vec<String>, Failure> =
                images.iter().map(|text| Ok(read_id(text)?.to_string())).collect();
            super::withdrawing::change(&api, words, &ids?, &json!({ "action": "move", "album": id })).await?;
        }
    }
    Ok(())
}

async fn list(api: &Api) -> Result<(), Failure> {
    let words = api.words();
    let mut table = Table::new(&words.pick(
        [">NO.", ">IMAGES", "NAME", "DESCRIPTION"],
        [">编号", ">图片", "名称", "描述"],
    ));
    for album in all(api).await? {
        let mark = if album.is_default { " *" } else { "" };
        table.row([
            album.id.to_string(),
            album.images.to_string(),
            format!("{}{mark}", plain(&album.name)),
            plain(&album.description),
        ]);
    }
    table.print();
    Ok(())
}
