/** Settings to paste into the programs that upload here, with everything filled in. */

export interface Entry {
  label: string;
  value: string;
}

export interface Editor {
  name: string;
  /** What is typed into its fields, one by one; or … */
  entries?: Entry[];
  /** … a text to paste as a whole; or … */
  text?: string;
  /** … a file to be opened. */
  file?: { name: string; text: string };
}

/** Words of the editors' own windows, as they stand there in either language. */
const FIELDS = {
  en: {
    url: 'API URL',
    file: 'POST file field',
    path: 'Path of the image URL in the answer',
    prefix: 'Prefix of image URLs',
    header: 'Request header',
    command: 'Custom command',
    json: 'JSON path',
    custom: 'Custom header',
    upload: 'Upload URL',
    method: 'Method',
    urlPath: 'URL path',
    uploader: 'Default uploader',
    server: 'PicGo server',
    remote: 'Upload the clipboard / Remote server mode',
    on: 'on',
    authorization: 'Authorization',
    key: 'Key of the link in the answer',
  },
  zh: {
    url: 'API 地址',
    file: 'POST 文件名',
    path: '返回结果中的图片路径',
    prefix: '图片 URL 前缀',
    header: '请求头',
    command: '自定义命令',
    json: 'JSON 路径',
    custom: '自定义请求头',
    upload: '上传地址',
    method: '请求方法',
    urlPath: 'URL 路径',
    uploader: '默认上传器',
    server: 'PicGo server',
    remote: '剪贴板上传 / 远程服务器模式',
    on: '开',
    authorization: 'Authorization',
    key: '返回结果中的链接字段',
  },
} as const;

/** SECURITY: a base URL is this page's own and a token is letters, so nothing here needs quoting in a shell. */
export function editors(base: string, token: string, locale: 'en' | 'zh'): Editor[] {
  const words = FIELDS[locale];
  const upload = `${base}/v1/images`;
  const bearer = `Authorization: Bearer ${token}`;
  return [
    {
      name: 'MWeb',
      entries: [
        { label: words.url, value: `${base}/api/v1/upimg` },
        { label: words.file, value: 'file' },
        { label: words.path, value: 'data/path' },
        { label: words.prefix, value: `${base}/?path=` },
        { label: words.header, value: `token: ${token}` },
      ],
    },
    {
      name: 'PicGo',
      entries: [
        // Its plugin web-uploader, as docs/clients/picgo.md has it.
        { label: words.url, value: `${base}/api/v1/upimg` },
        { label: words.file, value: 'file' },
        { label: words.json, value: 'data.url' },
        { label: words.custom, value: JSON.stringify({ token }) },
      ],
    },
    {
      name: 'Typora',
      entries: [
        {
          label: words.command,
          value: `sh -c 'for f; do curl -fsS -H "${bearer}" -F "file=@$f" ${upload} | sed "s/.*\\"url\\":\\"\\([^\\"]*\\).*/\\1/"; done' berth`,
        },
      ],
    },
    {
      // By PicGo's own protocol, as docs/clients/obsidian.md has it.
      name: 'Obsidian',
      entries: [
        { label: words.uploader, value: 'PicGo(app)' },
        { label: words.server, value: `${base}/upload?key=${token}` },
        { label: words.remote, value: words.on },
      ],
    },
    {
      name: 'uPic',
      entries: [
        { label: words.url, value: `${base}/api/v1/upload` },
        { label: words.method, value: 'POST' },
        { label: words.file, value: 'file' },
        { label: words.header, value: bearer },
        { label: words.header, value: 'Accept: application/json' },
        { label: words.urlPath, value: '["data", "url"]' },
      ],
    },
    {
      name: 'VS Code',
      entries: [
        { label: words.server, value: `${base}/upload?key=${token}` },
        { label: words.upload, value: `${base}/api/v1/upload` },
        { label: words.file, value: 'file' },
        { label: words.authorization, value: `Bearer ${token}` },
        { label: words.key, value: 'url' },
      ],
    },
    {
      name: 'ShareX',
      file: { name: 'berth.sxcu', text: sharex(upload, token) },
    },
    {
      name: 'Flameshot',
      text: `flameshot gui --raw | curl -sS -H "X-API-Key: ${token}" -F "source=@-;filename=screenshot.png" "${base}/api/1/upload?format=txt" | wl-copy`,
    },
    {
      name: 'curl',
      text: `curl -H "${bearer}" -F file=@picture.jpg ${upload}`,
    },
  ];
}

function sharex(upload: string, token: string): string {
  const uploader = {
    Version: '15.0.0',
    Name: 'berth',
    DestinationType: 'ImageUploader, FileUploader',
    RequestMethod: 'POST',
    RequestURL: upload,
    Headers: { Authorization: `Bearer ${token}` },
    Body: 'MultipartFormData',
    FileFormName: 'file',
    URL: '{json:images[0].url}',
    ThumbnailURL: '{json:images[0].thumbnail_url}',
    ErrorMessage: '{json:detail}',
  };
  return `${JSON.stringify(uploader, null, 2)}\n`;
}
