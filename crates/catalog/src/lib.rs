//! Rows: all SQL of the product, one file a question.
//!
//! This room owns the database: its pool, its migrations and every statement. It knows rows and transactions; it never
//! touches a blob's bytes. Where a transaction must span bytes (publishing, sweeping), the caller hands in what to do
//! with them, and this room runs it while it holds the blob's row.
//!
//! # Locks
//! Whoever changes how many live images link to a blob locks the blob's row first, then the image's, then the
//! account's, then (by a trigger, when an image comes, goes or moves) the album's. Who locks several rows of one table locks
//! the lower number first. INVARIANT: nobody takes them in another order, so no two can wait for each other; batches skip
//! what is locked instead of waiting. Advisory locks (on sweeping, on an MD5, on an image's bytes) come before all rows, the image's first.

mod account_changes;
mod account_deletion;
mod accounts;
mod albums;
mod backup;
mod blob;
mod bulk;
mod changes;
mod damage;
mod damaged_images;
mod database;
mod derive;
mod diagnose;
mod ear;
mod event_list;
mod events;
mod exists;
mod expire;
mod fold;
mod idempotency;
mod image;
mod image_sums;
mod keep_variants;
mod leader;
mod links;
mod list;
mod lookup;
mod lost_variants;
mod migrate;
mod numbered;
mod older_paths;
mod origin;
mod passwords;
mod patch;
mod publish;
mod purges;
mod quota;
mod readers;
mod reconcile;
mod replace;
mod restore;
mod roles;
mod rollup;
mod scrub_place;
mod seen_periods;
mod sessions;
mod site_policy;
mod snapshot;
mod stats;
mod sweep;
mod token_grants;
mod tokens;
mod totals;
mod upload_rules;
mod uploads;
mod usage;
mod variants;
mod withdraw;

pub use account_changes::{
    AccountError, AccountPatch, Actor, ExpectedAccount, Quotas, list_accounts, make_account, patch_account,
};
pub use account_deletion::{delete_account, withdraw_of_deleted};
pub use accounts::{
    AccountRecord, NewAccount, Role, create_account, find_account, find_account_id, has_accounts,
};
pub use albums::{
    AlbumContents, AlbumError, AlbumPatch, AlbumRecord, DEFAULT_ALBUM, ExpectedAlbum, create_album,
    delete_album, find_album, list_albums, patch_album,
};
pub use backup::{
    BackupHold, Dump, LEFT_OUT, Load, LoadError, StoredBlob, TableShape, Vacancy, analyze, find_stored_by_id,
    find_stored_by_md5, find_vacancy, hold_blob, images_over, list_stored,
};
pub use blob::NewBlob;
pub use bulk::{BulkAction, BulkCaller, change_many};
pub use changes::{Change, watch_images, watch_wishes};
pub use damage::{
    Damage, ExpectedBlob, Verdict, count_damaged, judge_blob, list_damaged_blobs, list_expected_blobs,
    mark_blob_whole,
};
pub use damaged_images::{DamagedImages, find_damaged_images};
pub use database::{Catalog, CatalogSettings, Error};
pub use derive::{
    Derived, DueVariants, NewVariant, claim_due_variants, put_variants_off, wish_for_missing_thumbnails,
};
pub use diagnose::{Diagnosis, diagnose};
pub use event_list::{EventFilter, EventRecord, forget_events, list_events};
pub use events::{Event, record};
pub use exists::{Content, find_by_content, find_public_by_md5};
pub use expire::{expire_batch, expire_fixed_batch, explain_expire, slide_expiries};
pub use fold::{DayCount, Fold, Referrer, ReferrerCount, fold_counts, forget_journal};
pub use idempotency::{
    Claimed, IdempotencyClaim, IdempotencyKey, KeptAnswer, claim_request, forget_answers, keep_answer,
    release_claim, renew_claim,
};
pub use image::{ChangeError, Expected, ImageRecord, find_image, find_image_even_ended};
pub use image_sums::{ImageSums, sum_up_images};
pub use keep_variants::{KeepError, keep_variants};
pub use leader::Leadership;
pub use links::revoke_links;
pub use list::{ImageFilter, ImagePosition, ImageQuery, ImageSort, SortKey, explain_list, list_images};
pub use lookup::{HotlinkTexts, LiveImage, find_live_by_id, find_live_by_key};
pub use lost_variants::{KeptVariant, list_kept_variants, wish_for_lost_variants};
pub use migrate::{migrate, migrate_to, newest_schema};
pub use numbered::{
    Numbered, NumberedColumn, NumberedQuery, find_image_by_number, number_albums, number_images,
};
pub use older_paths::{MaplePath, find_by_maple_path};
pub use origin::{Origin, find_scrub};
pub use passwords::{NewPassword, change_password, find_password};
pub use patch::{ImagePatch, patch_image};
pub use publish::{NewImage, PublishError, Published, Standing, publish};
pub use purges::{
    Purge, claim_purges, count_purges, finish_purge, give_purge_up, put_purge_off, set_purge_hook,
    spread_purges,
};
pub use quota::find_quota;
pub use reconcile::{LinkedBlob, find_strangers, is_linked, list_linked_blobs, remove_stranger};
pub use replace::{ReplaceError, Replacing, replace};
pub use restore::{RestoreTerms, restore};
pub use roles::{ServiceRole, create_database, let_in};
pub use rollup::{forget_usage, keep_top_images, make_room_for_sites};
pub use scrub_place::{ScrubPlace, find_scrub_place, save_scrub_place};
pub use seen_periods::merge_periods;
pub use sessions::{
    NewSession, SessionKey, SignIn, close_session, find_session, find_sign_in, forget_sessions, open_session,
};
pub use site_policy::{SitePolicy, find_site_policy, find_upload_policies, set_site_policy};
pub use snapshot::{ContentRecord, read_contents};
pub use stats::{Expiring, Stats, Stored, explain_stats, stats};
pub use sweep::{Doomed, Swept, count_doomed, forget_ended, sweep_batch};
pub use token_grants::{TokenBounds, TokenRecord, grant_token, list_tokens, revoke_token};
pub use tokens::{Bearer, Credential, NewToken, create_token, find_bearer};
pub use totals::{Totals, count_due, totals};
pub use uploads::{
    UploadRecord, UploadShape, count_forgotten_uploads, count_uploads, create_upload, delete_upload,
    find_upload, forget_uploads, hold_upload, release_upload, save_upload, shorten_uploads,
};
pub use usage::{ImageUse, Period, SiteUse, TopImage, Use, image_use};
pub use variants::{VariantRecord, VariantState, find_variant, wish_for_lost_variant, wish_for_variant};
pub use withdraw::{withdraw, withdraw_by_link, withdraw_if};
