/** What `/v1` answers, as far as the page reads it (docs/API.md). */

export type Visibility = 'public' | 'unlisted' | 'private';
export type Kind = 'image' | 'video';

export type Scrub = 'keep' | 'location' | 'all';
export type TakenSource = 'exif_original' | 'exif_created' | 'exif_modified' | 'xmp' | 'container';

export interface Image {
  id: string;
  url: string;
  /** Null where the server has made no thumbnail (yet). */
  thumbnail_url: string | null;
  /** Base64, a picture of some 30 bytes to show while the real one loads. */
  thumbhash?: string | null;
  md5: string;
  sha256: string;
  size_bytes: number;
  media_type: string;
  kind: Kind;
  width: number | null;
  height: number | null;
  name: string;
  description: string;
  album: number;
  visibility: Visibility;
  status: 'uploaded' | 'existing';
  views: number;
  created_at: string;
  expires_at: string | null;
  /** Nobody said when it ends: views may keep it alive, where its album or the site says so. Absent from older servers. */
  ends_by_policy?: boolean;
  /** The clock on the wall where it was taken; where no zone is known, as if it were UTC's. */
  taken_at: string | null;
  taken_zone: string | null;
  taken_source: TakenSource | null;
  /** Beside an image's own page only. */
  updated_at?: string;
  ended_at?: string | null;
  ended_by?: 'withdrawn' | 'expired' | null;
  policy?: Policy | null;
  /** Of a private image: a link of an hour with which its owner looks at it. Absent from servers that sign none. */
  signed_url?: string | null;
  /** What the stored file says of how it was taken; null where it says nothing. */
  camera?: Camera | null;
}

/** How a picture was taken. What the file doesn't say is null. */
export interface Camera {
  make: string | null;
  model: string | null;
  lens: string | null;
  f_number: number | null;
  exposure_seconds: number | null;
  iso: number | null;
  focal_length_mm: number | null;
  /** What shows as much on 35 mm film. */
  focal_length_35mm: number | null;
  /** Whether it fired. */
  flash: boolean | null;
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface Album {
  id: number;
  name: string;
  description: string;
  policy: Policy | null;
  images: number;
  is_default: boolean;
  created_at: string;
}

/** What one level says (docs/HOTLINKING.md); what is absent is left to the level above. */
export interface Policy {
  hotlink?: Hotlink;
  expiry?: { default?: string; longest?: string; sliding?: string };
  visibility?: Visibility;
}

export interface Hotlink {
  allow?: string[];
  deny?: string[];
  empty_referer?: 'allow' | 'deny';
  hidden_embeds?: 'allow' | 'deny';
  refusal?: 'placeholder' | 'bare' | { redirect: string };
  dry_run?: boolean;
}

/** What becomes of an upload that does not say, by the settings and the site's policy. */
export interface UploadRules {
  /** 0 is for ever. */
  lifetime_seconds: number;
  /** 0 is no limit. */
  longest_seconds: number;
  /** For how long a view keeps one whose end nobody said; 0 is not at all. Absent from older servers. */
  sliding_seconds?: number;
  visibility: Visibility;
  scrub: Scrub;
}

export interface Account {
  id: number;
  username: string;
  role: 'admin' | 'member';
}

export interface AccountDetails extends Account {
  quota_bytes: number | null;
  quota_files: number | null;
  used_bytes: number;
  used_files: number;
  created_at: string;
  disabled: boolean;
  /** What is taken out of their files where an upload does not say; null is as the settings say. */
  scrub: Scrub | null;
}

/** What an upload may be at most. Absent from servers that don't tell. */
export interface Limits {
  files: number;
  request_bytes: number;
  image_bytes: number;
  video_bytes: number;
  types: string[];
}

export interface SessionInfo {
  kind: 'session' | 'token';
  expires_at: string | null;
  scopes: string[];
  account: Account;
  limits?: Limits;
  uploads?: UploadRules;
}

export interface Token {
  id: number;
  name: string;
  hint: string;
  scopes: string[];
  album: number | null;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
}

export interface BerthEvent {
  id: number;
  at: string;
  kind: string;
  account: number | null;
  username: string | null;
  client_address: string | null;
  subject: string;
  detail: Record<string, unknown>;
}
