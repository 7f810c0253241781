//! What an image is and what is allowed.
//!
//! This room owns the product's words ([`PublicId`], [`BlobKey`], [`MediaType`], …) and its rules (who may embed
//! an image, when it ends, what counts as a view). Everything here is pure: no I/O, no async, no clock, no
//! randomness; a rule that depends on time takes `now` as a value. Storing, sending and asking is left to the
//! rooms around it; this one imports none of them.

mod access_refusal;
mod blob_key;
mod bot;
mod camera;
mod checksum;
mod delete_token;
mod dialect;
mod digest;
mod expiry;
mod file_name;
mod file_refusal;
mod grant;
pub mod hotlink;
mod image_refusal;
mod limits;
mod media_type;
mod password;
mod policy;
mod public_id;
mod quota;
mod referring_site;
mod refusal;
mod repeat_refusal;
mod resume_refusal;
mod scope;
mod scrub;
mod signed_link;
mod signing;
mod taken;
mod token;
mod username;
mod validation;
mod variant;
mod variant_room;
mod view;
mod view_token;
mod visibility;

pub use access_refusal::AccessRefusal;
pub use blob_key::{BlobKey, InvalidBlobKey};
pub use bot::is_bot;
pub use camera::Camera;
pub use checksum::{Checksum, InvalidChecksum};
pub use delete_token::{DeleteToken, DeleteTokens, InvalidDeleteToken};
pub use dialect::{Dialect, Dialects, UnknownDialect};
pub use digest::{InvalidDigest, Md5, Sha256};
pub use expiry::{Expiry, InvalidDuration, is_live, parse_duration};
pub use file_name::{FileName, file_name_parameter};
pub use file_refusal::FileRefusal;
pub use grant::Grant;
pub use image_refusal::ImageRefusal;
pub use limits::UploadLimits;
pub use media_type::{Kind, MediaType, UnknownMediaType};
pub use password::{PasswordHash, PasswordTooShort, readable_password};
pub use policy::{ExpiryRules, InvalidPolicy, Lifetime, Policy, TooLong, UploadRules};
pub use public_id::{InvalidPublicId, PublicId};
pub use quota::Quota;
pub use referring_site::ReferringSite;
pub use refusal::Refusal;
pub use repeat_refusal::RepeatRefusal;
pub use resume_refusal::ResumeRefusal;
pub use scope::{InvalidScope, Scope, Scopes};
pub use scrub::{InvalidScrub, Scrub};
pub use signed_link::{SignedLink, SignedLinks};
pub use signing::{InvalidSignature, KeyRing, PurposeKey, Secret, Signature};
pub use taken::{InvalidTakenSource, Taken, TakenSource};
pub use token::{InvalidToken, Token, TokenHash};
pub use username::{InvalidUsername, Username};
pub use validation::{InvalidValidation, Validation};
pub use variant::{InvalidWidths, NamedWidths, UnknownVariantFormat, VariantFormat, VariantKey};
pub use variant_room::{NotKept, VariantRoom};
pub use view::{Counted, counted_as};
pub use view_token::{InvalidViewToken, ViewToken, ViewTokens, Viewable};
pub use visibility::{InvalidVisibility, Visibility};
