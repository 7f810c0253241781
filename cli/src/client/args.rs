use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, builder::PossibleValuesParser, builder::TypedValueParser as _};
use domain::{Scope, Scrub, Visibility};

use super::{copy, users::UserCommand};

/// What the command line does at a running berth, whose URL and token `berth login` keeps.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// Keep a token of a berth on this machine · 登录：为本机创建并保存令牌
    Login(LoginArgs),
    /// Revoke the token of this machine and forget it · 退出：吊销并删除本机令牌
    Logout {
        /// Which berth; the last one that was logged in to, when absent · 哪个 berth，缺省为最近登录的
        url: Option<String>,
    },
    /// Upload files and print their links, one a line · 上传文件，每行输出一个链接
    Upload(UploadArgs),
    /// List your images · 列出图片
    #[command(visible_alias = "ls")]
    List(ListArgs),
    /// Show all that is known of an image · 查看一张图片
    Show {
        /// Its id, or a URL of it · 图片 id 或其链接
        image: String,
        /// As JSON · 以 JSON 输出
        #[arg(long)]
        json: bool,
    },
    /// Withdraw images: none of their links answers any more; `berth undo` brings them back for a while · 删除图片（期限内可撤销）
    Rm(RmArgs),
    /// Bring withdrawn or expired images back · 恢复已删除或已过期的图片
    Undo {
        /// Ids, or URLs · 图片 id 或链接
        #[arg(required = true)]
        images: Vec<String>,
    },
    /// Write all of your images into a folder, by day or by album, to keep or to import again · 导出全部图片到文件夹
    Export(ExportArgs),
    /// Upload a folder: one of pictures, or an export, whose names, albums and ends come back · 导入文件夹或此前的导出
    Import(ImportArgs),
    /// Your albums · 相册
    #[command(subcommand)]
    Album(AlbumCommand),
    /// How much is looked at, when, what, and from where · 访问统计
    Stats(StatsArgs),
    /// Accounts, for administrators with a token of the scope `admin` · 用户管理（需 admin 权限的令牌）
    #[command(subcommand)]
    User(UserCommand),
    /// Print an image's links in every form that editors take · 输出一张图片的各种链接
    Links {
        /// Its id, or a URL of it · 图片 id 或其链接
        image: String,
        /// A signed link as well, which opens a private image too, good for so long (such as 7d) · 附带限时签名链接
        #[arg(long, value_name = "SPAN")]
        signed: Option<String>,
        /// This form alone, on one line · 只输出这一种
        #[arg(long, value_name = "FORM")]
        copy: Option<Form>,
    },
}

/// `berth album`. An album is meant by its name or its number.
#[derive(Debug, Subcommand)]
pub(crate) enum AlbumCommand {
    /// List your albums; `*` is the default one · 列出相册，* 为默认相册
    List,
    /// Make an album and print its number · 新建相册并输出编号
    Create {
        /// What it is called · 名称
        name: String,
        /// What you say about it · 描述
        #[arg(long)]
        description: Option<String>,
    },
    /// Give an album another name · 重命名
    Rename {
        /// Which · 相册
        album: String,
        /// Its new name · 新名称
        name: String,
    },
    /// Delete an album; its images move to the default one · 删除相册，其中的图片移到默认相册
    Rm {
        /// Which · 相册
        album: String,
        /// Withdraw its images as well · 同时删除其中的图片
        #[arg(long)]
        with_images: bool,
    },
    /// Move images to an album · 把图片移到相册
    Move {
        /// Where to · 目标相册
        album: String,
        /// Ids, or URLs · 图片 id 或链接
        #[arg(required = true)]
        images: Vec<String>,
    },
}

/// `berth stats`.
#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    /// The first day, such as 2024-05-01; 30 days up to today when absent · 起始日期，缺省为最近 30 天
    #[arg(long, value_name = "DAY")]
    pub(crate) from: Option<String>,
    /// The last day · 截止日期
    #[arg(long, value_name = "DAY")]
    pub(crate) to: Option<String>,
    /// Everybody's, for administrators · 所有人的（管理员）
    #[arg(long)]
    pub(crate) everybody: bool,
    /// As JSON · 以 JSON 输出
    #[arg(long)]
    pub(crate) json: bool,
}

/// `berth login`.
#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    /// Such as <https://img.example.com> · 例如 <https://img.example.com>
    pub(crate) url: String,
    /// Keep this token instead of making one; `-` reads it from standard input · 直接使用已有令牌，`-` 表示从标准输入读取
    #[arg(long, value_name = "TOKEN", conflicts_with_all = ["username", "password_stdin"])]
    pub(crate) token: Option<String>,
    /// Who signs in; asked for when absent · 用户名，缺省时询问
    #[arg(long, value_name = "NAME")]
    pub(crate) username: Option<String>,
    /// Read the password from standard input · 从标准输入读取密码
    #[arg(long)]
    pub(crate) password_stdin: bool,
    /// What this machine may do; add `admin` to manage users · 本机权限，管理用户需加 admin
    #[arg(long, value_delimiter = ',', default_value = "upload,read,manage")]
    pub(crate) scopes: Vec<Scope>,
}

/// `berth upload`.
#[derive(Debug, Args)]
pub(crate) struct UploadArgs {
    /// Files; `-` is standard input · 文件，`-` 表示标准输入
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Upload the pictures and videos of folders, too · 连同文件夹中的图片与视频
    #[arg(short, long)]
    pub(crate) recursive: bool,
    /// An album's name or number · 相册名或编号
    #[arg(short, long, value_name = "ALBUM")]
    pub(crate) album: Option<String>,
    /// A name instead of the file's own · 名称，缺省为文件名
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// What you say about it · 描述
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// How long it lives: 90s, 15m, 7d; 0 is for ever · 有效期，如 7d，0 为永久
    #[arg(long, value_name = "SPAN")]
    pub(crate) expires_in: Option<String>,
    /// Who may see it · 可见性
    #[arg(long, value_parser = visibilities())]
    pub(crate) visibility: Option<Visibility>,
    /// What of the metadata is taken out: `keep` nothing, the `location`, or `all` · 去除哪些元数据
    #[arg(long, value_parser = scrubs())]
    pub(crate) scrub: Option<Scrub>,
    /// What is printed · 输出格式
    #[arg(short, long, value_name = "FORM", default_value = "url")]
    pub(crate) copy: Form,
    /// Print the images as JSON, one a line · 以 JSON 输出，每行一个
    #[arg(long, conflicts_with = "copy")]
    pub(crate) json: bool,
    /// Files at once · 同时上传的文件数
    #[arg(short, long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub(crate) jobs: u8,
}

/// `berth export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The folder; what is in it already is not fetched again · 目标文件夹，已有的不再下载
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// `images/2024-05-01/…`, `videos/…`, `no_date/…`, by the day on which each was taken (default) · 按拍摄日期归档（默认）
    #[arg(long)]
    pub(crate) by_date: bool,
    /// A folder for each album · 按相册归档
    #[arg(long, conflicts_with = "by_date")]
    pub(crate) by_album: bool,
    /// This album alone, by its name or number · 只导出这个相册
    #[arg(short, long)]
    pub(crate) album: Option<String>,
    /// The berth's own blob folder, for its operator: files become hard links where they can · 服务端 blobs 目录，尽量硬链接
    #[arg(long, value_name = "FOLDER")]
    pub(crate) blobs: Option<PathBuf>,
    /// Files at once · 同时下载的文件数
    #[arg(short, long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub(crate) jobs: u8,
}

/// `berth import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The folder · 文件夹
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Make an album of each sub-folder · 每个子文件夹建一个相册
    #[arg(long)]
    pub(crate) albums: bool,
    /// How long they live, whatever an index says: 7d, or 0 for ever · 有效期，优先于索引
    #[arg(long, value_name = "SPAN")]
    pub(crate) expires_in: Option<String>,
    /// Who may see those that no index speaks of · 索引之外的图片的可见性
    #[arg(long, value_parser = visibilities())]
    pub(crate) visibility: Option<Visibility>,
    /// Tell what would be done, and do nothing · 只说明将要做什么
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Files at once · 同时上传的文件数
    #[arg(short, long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub(crate) jobs: u8,
}

/// `berth list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Text in the name or the description · 名称或描述中的文字
    pub(crate) text: Option<String>,
    /// An album's name or number · 相册名或编号
    #[arg(short, long)]
    pub(crate) album: Option<String>,
    /// image or video · 图片或视频
    #[arg(long, value_parser = ["image", "video"])]
    pub(crate) kind: Option<String>,
    /// public, unlisted or private · 可见性
    #[arg(long, value_parser = visibilities())]
    pub(crate) visibility: Option<Visibility>,
    /// Taken on this day or later, such as 2024-05-01 · 拍摄日期不早于
    #[arg(long, value_name = "DAY")]
    pub(crate) taken_from: Option<String>,
    /// Taken on this day or before · 拍摄日期不晚于
    #[arg(long, value_name = "DAY")]
    pub(crate) taken_to: Option<String>,
    /// Uploaded on this day or later · 上传日期不早于
    #[arg(long, value_name = "DAY")]
    pub(crate) uploaded_from: Option<String>,
    /// Uploaded on this day or before · 上传日期不晚于
    #[arg(long, value_name = "DAY")]
    pub(crate) uploaded_to: Option<String>,
    /// Those of which nothing tells when they were taken · 没有拍摄日期的
    #[arg(long)]
    pub(crate) no_date: bool,
    /// Not seen since this day · 此日期之后无人访问
    #[arg(long, value_name = "DAY")]
    pub(crate) unused_since: Option<String>,
    /// Ending before this day · 在此日期之前到期
    #[arg(long, value_name = "DAY")]
    pub(crate) expiring_before: Option<String>,
    /// Those that were withdrawn or have expired and can still be brought back · 已删除或过期但仍可恢复的
    #[arg(long)]
    pub(crate) ended: bool,
    /// Everybody's, for administrators · 所有人的（管理员）
    #[arg(long)]
    pub(crate) everybody: bool,
    /// In which order · 排序
    #[arg(long, default_value = "newest", value_parser = ["newest", "oldest", "taken", "name", "size"])]
    pub(crate) sort: String,
    /// At most so many; 0 is all · 最多列出多少，0 为全部
    #[arg(short = 'n', long, default_value_t = 50, value_name = "COUNT")]
    pub(crate) limit: usize,
    /// As JSON, one image a line · 以 JSON 输出，每行一张
    #[arg(long)]
    pub(crate) json: bool,
    /// Ids alone, for `berth rm` and other programs · 只输出 id
    #[arg(short, long, conflicts_with = "json")]
    pub(crate) quiet: bool,
}

/// `berth rm`.
#[derive(Debug, Args)]
pub(crate) struct RmArgs {
    /// Ids, or URLs; `-` reads them from standard input · 图片 id 或链接，`-` 表示从标准输入读取
    #[arg(required = true)]
    pub(crate) images: Vec<String>,
    /// Don't ask · 不询问
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// The form of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "clap would show it: the words say it all")]
pub(crate) enum Form {
    Url,
    Markdown,
    Html,
    Bbcode,
}

impl From<Form> for copy::Form {
    fn from(form: Form) -> Self {
        match form {
            Form::Url => Self::Url,
            Form::Markdown => Self::Markdown,
            Form::Html => Self::Html,
            Form::Bbcode => Self::Bbcode,
        }
    }
}

fn visibilities() -> impl clap::builder::TypedValueParser<Value = Visibility> {
    PossibleValuesParser::new(["public", "unlisted", "private"]).try_map(|word| word.parse::<Visibility>())
}

fn scrubs() -> impl clap::builder::TypedValueParser<Value = Scrub> {
    PossibleValuesParser::new(["keep", "location", "all"]).try_map(|word| word.parse::<Scrub>())
}
