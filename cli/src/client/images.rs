//! Looking at images: `berth list`, `berth show`, `berth links`.

use process::Person;
use serde::Deserialize;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::{
    albums,
    api::{Api, Ask},
    args::{Form, ListArgs},
    copy,
    image::{Image, local, read_id},
    problem::ApiError,
    session::connect,
    table::Table,
    words::{Words, plain, size},
};
use crate::Failure;

/// A page of a list.
#[derive(Debug, Deserialize)]
struct Page {
    images: Vec<Value>,
    next: Option<String>,
}

/// Pages are as large as the API gives them.
const PAGE: usize = 200;

/// Reads a list page by page and hands each on, until there is no more or `enough` have come (0 is all of them).
pub(crate) async fn each_page(
    api: &Api,
    query: &[(&str, String)],
    enough: usize,
    mut each: impl FnMut(Vec<Value>) -> Result<(), Failure>,
) -> Result<usize, Failure> {
    let (mut after, mut seen): (Option<String>, usize) = (None, 0);
    loop {
        let left = if enough == 0 { PAGE } else { enough - seen };
        let page = read_page(api, query, after.as_deref(), left.min(PAGE)).await?;
        seen += page.images.len();
        each(page.images)?;
        after = page.next;
        if after.is_none() || (enough != 0 && seen >= enough) {
            return Ok(seen);
        }
    }
}

/// One page of a list, as large as it may be, and where the next begins.
pub(crate) async fn page(
    api: &Api,
    query: &[(&str, String)],
    after: Option<&str>,
) -> Result<(Vec<Image>, Option<String>), Failure> {
    let page = read_page(api, query, after, PAGE).await?;
    let images: Result<Vec<Image>, Failure> = page
        .images
        .into_iter()
        .map(|value| read_image(api, value))
        .collect();
    Ok((images?, page.next))
}

async fn read_page(
    api: &Api,
    query: &[(&str, String)],
    after: Option<&str>,
    limit: usize,
) -> Result<Page, Failure> {
    let mut written = Serializer::new(String::new());
    written.extend_pairs(query);
    written.append_pair("limit", &limit.to_string());
    if let Some(after) = after {
        written.append_pair("after", after);
    }
    Ok(api
        .json(Ask::get(format!("/v1/images?{}", written.finish())))
        .await?)
}

fn read_image(api: &Api, value: Value) -> Result<Image, Failure> {
    let read = serde_json::from_value(value).map_err(|error| ApiError::Strange {
        url: api.url().to_owned(),
        why: error.to_string(),
    });
    Ok(read?)
}

/// `berth list`.
pub(crate) async fn list(person: &Person, words: Words, args: ListArgs) -> Result<(), Failure> {
    let api = connect(person, words)?;
    let album = match &args.album {
        Some(album) => Some(albums::find(&api, album).await?.to_string()),
        None => None,
    };
    let yes = |set: bool| set.then(|| "true".to_owned());
    let query: Vec<(&str, String)> = [
        ("sort", Some(args.sort.clone())),
        ("album", album),
        ("q", args.text.clone()),
        ("kind", args.kind.clone()),
        (
            "visibility",
            args.visibility.map(|visibility| visibility.to_string()),
        ),
        ("taken_from", args.taken_from.clone()),
        ("taken_to", args.taken_to.clone()),
        ("uploaded_from", args.uploaded_from.clone()),
        ("uploaded_to", args.uploaded_to.clone()),
        ("no_date", yes(args.no_date)),
        ("unused_since", args.unused_since.clone()),
        ("expiring_before", args.expiring_before.clone()),
        ("ended", yes(args.ended)),
        ("all", yes(args.everybody)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect();
    if args.json || args.quiet {
        each_page(&api, &query, args.limit, |images| {
            print_lines(&images, args.quiet);
            Ok(())
        })
        .await?;
        return Ok(());
    }
    let mut table = Table::new(&words.pick(
        [
            "ID",
            "TAKEN",
            "?UPLOADED",
            "?>SIZE",
            "?PIXELS",
            ">VIEWS",
            "ENDS",
            "?SEEN BY",
            "NAME",
        ],
        [
            "ID",
            "拍摄",
            "?上传",
            "?>大小",
            "?像素",
            ">访问",
            "到期",
            "?可见性",
            "名称",
        ],
    ));
    each_page(&api, &query, args.limit, |images| {
        for image in images {
            table.row(row(words, &read_image(&api, image)?));
        }
        Ok(())
    })
    .await?;
    table.print();
    if args.limit != 0 && table.len() >= args.limit {
        eprintln!(
            "{}",
            words.pick(
                "There may be more: -n 0 lists all.",
                "可能还有更多：-n 0 列出全部。"
            )
        );
    }
    Ok(())
}

fn print_lines(images: &[Value], ids_alone: bool) {
    for image in images {
        match image["id"].as_str().filter(|_| ids_alone) {
            Some(id) => say!("{id}"),
            None => say!("{image}"),
        }
    }
}

fn row(words: Words, image: &Image) -> [String; 9] {
    let ends = match (&image.ended_by, &image.expires_at) {
        (Some(by), _) => plain(by),
        (None, Some(at)) => local(at).chars().take(10).collect(),
        (None, None) => words.pick("never", "永久").to_owned(),
    };
    [
        image.id.clone(),
        image.taken_day().unwrap_or("-").to_owned(),
        local(&image.created_at),
        size(image.size_bytes),
        image.dimensions(),
        image.views.to_string(),
        ends,
        image.visibility.clone(),
        plain(&image.name),
    ]
}

async fn fetch(api: &Api, text: &str) -> Result<Value, Failure> {
    let id = read_id(text)?;
    Ok(api.json(Ask::get(format!("/v1/images/{id}"))).await?)
}

/// `berth show`.
pub(crate) async fn show(person: &Person, words: Words, image: &str, as_json: bool) -> Result<(), Failure> {
    let api = connect(person, words)?;
    let json = fetch(&api, image).await?;
    if as_json {
        say!("{}", serde_json::to_string_pretty(&json)?);
        return Ok(());
    }
    let camera = camera(&json["camera"]);
    let image = read_image(&api, json)?;
    let zone = image.taken_zone.as_deref().unwrap_or_default();
    let taken = image.taken_at.as_deref().map_or_else(String::new, |at| {
        format!("{} {zone}", at.get(..16).unwrap_or(at).replace('T', " "))
    });
    let ended = match (&image.ended_at, &image.ended_by) {
        (Some(at), Some(by)) => format!("{} ({})", local(at), plain(by)),
        _ => String::new(),
    };
    let never = words.pick("never", "永久").to_owned();
    let lines = [
        (words.pick("name", "名称"), plain(&image.name)),
        (words.pick("description", "描述"), plain(&image.description)),
        (words.pick("link", "链接"), image.url.clone()),
        (
            words.pick("signed link", "签名链接"),
            image.signed_url.clone().unwrap_or_default(),
        ),
        (
            words.pick("kind", "类型"),
            format!("{} {}", image.media_type, image.dimensions()),
        ),
        (words.pick("size", "大小"), size(image.size_bytes)),
        (
            words.pick("album", "相册"),
            image.album.map_or_else(String::new, |album| album.to_string()),
        ),
        (words.pick("seen by", "可见性"), image.visibility.clone()),
        (words.pick("views", "访问"), image.views.to_string()),
        (words.pick("taken", "拍摄"), taken.trim().to_owned()),
        (words.pick("camera", "相机"), camera),
        (words.pick("uploaded", "上传"), local(&image.created_at)),
        (
            words.pick("ends", "到期"),
            image.expires_at.as_deref().map_or(never, local),
        ),
        (words.pick("ended", "已结束"), ended),
        ("MD5", image.md5.clone()),
        ("SHA-256", image.sha256.clone()),
        (
            words.pick("delete link", "删除链接"),
            image.delete_url.clone().unwrap_or_default(),
        ),
    ];
    let mut table = Table::new(&["", ""]);
    table.row(["ID".to_owned(), image.id.clone()]);
    for (what, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
        table.row([what.to_owned(), value]);
    }
    say_as_is!("{}", table.render(None).trim_start());
    Ok(())
}

fn camera(json: &Value) -> String {
    let parts = ["make", "model", "lens"].map(|part| json[part].as_str().map(plain).unwrap_or_default());
    parts.join(" ").trim().to_owned()
}

#[derive(Deserialize)]
struct SignedLink {
    url: String,
    expires_at: String,
}

/// `berth links`.
pub(crate) async fn links(
    person: &Person,
    words: Words,
    image: &str,
    signed: Option<&str>,
    only: Option<Form>,
) -> Result<(), Failure> {
    let api = connect(person, words)?;
    let image = read_image(&api, fetch(&api, image).await?)?;
    let mut url = image.url.clone();
    let mut until = None;
    if let Some(span) = signed {
        let path = format!("/v1/images/{}/signed-links", image.id);
        let link: SignedLink = api.json(Ask::post(path, &json!({ "expires_in": span }))).await?;
        url = link.url;
        until = Some(local(&link.expires_at));
    }
    if let Some(form) = only {
        say!("{}", copy::Form::from(form).of(&image, &url));
        return Ok(());
    }
    for form in copy::Form::ALL {
        say!("{:9} {}", form.word(), form.of(&image, &url));
    }
    if let Some(thumbnail) = &image.thumbnail_url {
        say!("{:9} {thumbnail}", words.pick("thumbnail", "缩略图"));
    }
    if let Some(delete) = &image.delete_url {
        say!("{:9} {delete}", words.pick("delete", "删除"));
    }
    if let Some(until) = until {
        eprintln!(
            "{}",
            words.pick(
                format!("Signed: good until {until}."),
                format!("签名链接有效至 {until}。")
            )
        );
    } else if image.visibility == "private" {
        eprintln!(
            "{}",
            words.pick(
                "This image is private: only signed links show it (--signed 7d makes one).",
                "这张图片是私有的，只有签名链接能打开（--signed 7d 可生成）。"
            )
        );
    }
    Ok(())
}
