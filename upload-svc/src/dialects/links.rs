//! Links to an image beside its own URL.

use catalog::{Bearer, ImageRecord, Published};
use domain::Viewable;

use crate::{
    Service, delete_link,
    routes::{self, image_url},
};

/// What an upload gave, and what its client may be told of it.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) image: ImageRecord,
    /// Whether it was new.
    pub(super) is_new: bool,
    /// The secret that withdraws it, for those who may have it: the older hosts have no word for "none", so it is empty for others.
    pub(super) delete_token: String,
    /// The page that asks and then withdraws it; empty likewise.
    pub(super) delete_url: String,
}

impl Taken {
    pub(super) fn of(service: &Service, bearer: &Bearer, published: Published) -> Self {
        let Published { image, standing } = published;
        let (delete_token, delete_url) = if delete_link::may_be_told(bearer, &image, standing) {
            (
                delete_link::token(service, &image).to_string(),
                delete_link::url(service, &image),
            )
        } else {
            Default::default()
        };
        Self {
            image,
            is_new: standing == catalog::Standing::Uploaded,
            delete_token,
            delete_url,
        }
    }
}

/// A small picture of it.
pub(super) fn thumbnail_url(service: &Service, image: &ImageRecord) -> String {
    routes::thumbnail_url(service, image)
}

/// Where it is looked at by a person.
pub(super) fn viewer_url(service: &Service, image: &ImageRecord) -> String {
    image_url(service, image)
}

/// Its path on this host: `/i/7h9KzQm2xRfW.png`.
pub(super) fn path(image: &ImageRecord) -> String {
    format!("/i/{}", super::words::stored_name(image))
}

/// Where image-proxy's clients see it, with a token that is good as long as it lives.
pub(super) fn secure_url(service: &Service, image: &ImageRecord) -> String {
    let token = service.view_tokens().make(Viewable {
        public_id: image.public_id,
        expiry: image.expiry,
        generation: image.link_generation,
        visibility: image.visibility,
    });
    format!("{}/secure_get/{}?token={token}", service.base_url(), image.md5)
}
