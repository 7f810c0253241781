//! Smaller copies of images: which one a request means, whether it is there, and what is shown until it is.
//!
//! serve-svc makes none. It wishes for one by a row, upload-svc derives it, and the request that asked first waits for a
//! moment ([`PATIENCE`]). Past that it gets the next larger one, or the original, and no cache takes that for the answer.
//!
//! What is known of an image's variants hangs on its entry of the shelf. Whatever makes the shelf forget the image (it was
//! withdrawn, or replaced) forgets them by the same stroke; and every request finds the image first, so no variant outlives it.

mod accept;
mod wanted;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use catalog::{VariantRecord, VariantState, find_variant, wish_for_lost_variant, wish_for_variant};
use domain::{VariantFormat, VariantKey};
use http::{HeaderMap, HeaderValue, Response, header};
use tokio::{sync::OnceCell, time::timeout};

use wanted::Meant;
pub(crate) use wanted::WantedVariant;

use crate::{service::Parts, shelf::Shelved};

/// How long the first request for a variant waits for it. Rendering twelve megapixels takes about a twentieth of this.
const PATIENCE: Duration = Duration::from_secs(2);
/// The same while the database may be away.
const PATIENCE_WHEN_DEAF: Duration = Duration::from_millis(250);
/// How soon is looked again, at first and at last.
const LOOK_AGAIN: Duration = Duration::from_millis(15);
const LOOK_AGAIN_AT_MOST: Duration = Duration::from_millis(200);
/// What is shown in place of a variant that is being made is asked for anew each time.
const MEANWHILE: &str = "private, no-cache";

/// What is known for good of one of an image's variants.
#[derive(Debug, Clone)]
enum Known {
    There(Arc<Shelved>),
    /// The variants that are there take all the room of their original: the next larger of them is the answer, or the original.
    /// This is the one that was there when it was asked for.
    NoRoom(Option<VariantRecord>),
    /// The original is the answer.
    Never,
}

/// One of an image's variants.
#[derive(Debug)]
struct Slot {
    width: u32,
    format: VariantFormat,
    known: OnceCell<Known>,
}

/// What is known of an image's variants.
#[derive(Debug, Default)]
pub(crate) struct Variants(Mutex<Vec<Arc<Slot>>>);

impl Variants {
    fn slot(&self, width: u32, format: VariantFormat) -> Arc<Slot> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_meant = |slot: &&Arc<Slot>| (slot.width, slot.format) == (width, format);
        if let Some(slot) = slots.iter().find(is_meant) {
            return slot.clone();
        }
        let slot = Arc::new(Slot {
            width,
            format,
            known: OnceCell::new(),
        });
        slots.push(slot.clone());
        slot
    }

    /// The narrowest of those wider than this that are known to be there.
    fn next_larger(&self, width: u32, format: VariantFormat) -> Option<(u32, Arc<Shelved>)> {
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let there = |slot: &Arc<Slot>| match slot.known.get() {
            Some(Known::There(variant)) => Some((slot.width, variant.clone())),
            _ => None,
        };
        slots
            .iter()
            .filter(|slot| slot.width > width && slot.format == format)
            .filter_map(there)
            .min_by_key(|(width, _)| *width)
    }

    fn forget(&self, width: u32, format: VariantFormat) {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|slot| (slot.width, slot.format) != (width, format));
    }
}

/// What is shown to a request.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The image itself, or a variant of it.
    pub(crate) image: Arc<Shelved>,
    variant: Option<(u32, VariantFormat)>,
    /// A drawn poster, in place of the image: a picture is asked for, and none of it is there that can be shown.
    is_drawn: bool,
    varies: bool,
    /// Another variant was meant, and is being made.
    is_meanwhile: bool,
}

impl Shown {
    /// The image as it is.
    pub(crate) fn original(image: Arc<Shelved>) -> Self {
        Self {
            image,
            variant: None,
            is_drawn: false,
            varies: false,
            is_meanwhile: false,
        }
    }

    /// A drawn poster.
    fn drawn(image: Arc<Shelved>) -> Self {
        Self {
            is_drawn: true,
            ..Self::original(image)
        }
    }

    /// The image as it is where browsers show that as a picture, else a drawn poster.
    fn without_variants(image: Arc<Shelved>) -> Self {
        if image.media_type.is_picture_for_browsers() {
            Self::original(image)
        } else {
            Self::drawn(image)
        }
    }

    /// Whether a drawn poster is shown.
    pub(crate) fn is_drawn(&self) -> bool {
        self.is_drawn
    }

    /// Whether it is a variant, and not the image itself.
    pub(crate) fn is_variant(&self) -> bool {
        self.variant.is_some()
    }

    /// Says what caches must know of it.
    pub(crate) fn describe<B>(&self, response: &mut Response<B>) {
        let headers = response.headers_mut();
        if self.varies {
            headers.insert(header::VARY, HeaderValue::from_static("accept"));
        }
        let may_be_kept = headers
            .get(header::CACHE_CONTROL)
            .is_some_and(|value| value != "no-store");
        if self.is_meanwhile && may_be_kept {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(MEANWHILE));
        }
    }
}

/// What to show of a live image that its asker may see.
pub(crate) async fn choose(
    parts: &Parts,
    image: Arc<Shelved>,
    wanted: Option<WantedVariant>,
    headers: &HeaderMap,
) -> Shown {
    let Some(wanted) = wanted else {
        return Shown::original(image);
    };
    let varies = wanted.varies(image.media_type);
    let mut shown = match wanted.resolve(image.media_type, image.dimensions, &parts.widths, headers) {
        Meant::Variant(width, format) => find(parts, image, width, format).await,
        Meant::Original => Shown::original(image),
        Meant::Drawn => Shown::drawn(image),
    };
    shown.varies = varies;
    shown
}

async fn find(parts: &Parts, image: Arc<Shelved>, width: u32, format: VariantFormat) -> Shown {
    let slot = image.variants.slot(width, format);
    // What to show if it takes too long.
    let larger = Mutex::new(None);
    let known = if let Some(known) = slot.known.get() {
        Some(known.clone())
    } else {
        let patience = if parts.shelf.is_listening() {
            PATIENCE
        } else {
            PATIENCE_WHEN_DEAF
        };
        // One asks the database, however many wait.
        let asking = slot
            .known
            .get_or_try_init(|| ask(parts, &image, width, format, &larger));
        timeout(patience, asking).await.ok().and_then(Result::ok).cloned()
    };
    match known {
        Some(Known::There(variant)) => Shown {
            variant: Some((width, format)),
            ..Shown::original(variant)
        },
        Some(Known::NoRoom(larger)) => without_room(image, (width, format), larger.as_ref()),
        Some(Known::Never) => Shown::without_variants(image),
        None => {
            let larger = larger.into_inner().unwrap_or_else(PoisonError::into_inner);
            meanwhile(image, larger.as_ref())
        }
    }
}

/// What is shown in place of a variant that has no room: the narrowest of those that are wider, or the original.
fn without_room(
    image: Arc<Shelved>,
    (width, format): (u32, VariantFormat),
    larger: Option<&VariantRecord>,
) -> Shown {
    // One that was made since is narrower at times.
    let known = image.variants.next_larger(width, format);
    let narrower = |larger: &&VariantRecord| {
        known
            .as_ref()
            .is_none_or(|(width, _)| larger.named_width < *width)
    };
    let shown = match (larger.filter(narrower), &known) {
        (Some(larger), _) => Some((larger.named_width, Arc::new(image.variant(larger)))),
        (None, known) => known.clone(),
    };
    match shown {
        Some((width, variant)) => Shown {
            variant: Some((width, format)),
            ..Shown::original(variant)
        },
        None => Shown::without_variants(image),
    }
}

fn meanwhile(image: Arc<Shelved>, larger: Option<&VariantRecord>) -> Shown {
    let shown = match larger {
        Some(larger) => Shown {
            variant: Some((larger.named_width, larger.format)),
            ..Shown::original(Arc::new(image.variant(larger)))
        },
        None => Shown::without_variants(image),
    };
    Shown {
        is_meanwhile: true,
        ..shown
    }
}

/// Asks until the variant is there or is known never to be, and wishes for it if nobody has. The caller's patience ends it.
async fn ask(
    parts: &Parts,
    image: &Shelved,
    width: u32,
    format: VariantFormat,
    larger_there: &Mutex<Option<VariantRecord>>,
) -> Result<Known, catalog::Error> {
    let (catalog, blob_id) = (&parts.catalog, image.blob_id);
    let mut pause = LOOK_AGAIN;
    loop {
        let larger = match find_variant(catalog, blob_id, width, format).await? {
            VariantState::There(record) => return Ok(Known::There(Arc::new(image.variant(&record)))),
            VariantState::NoRoom { larger } => return Ok(Known::NoRoom(larger)),
            VariantState::Never => return Ok(Known::Never),
            VariantState::Unknown { larger } => {
                wish_for_variant(catalog, blob_id, width, format, parts.clock.now()).await?;
                larger
            }
            VariantState::Wished { larger } => larger,
        };
        *larger_there.lock().unwrap_or_else(PoisonError::into_inner) = larger;
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LOOK_AGAIN_AT_MOST);
    }
}

/// The file of a variant is lost: forgets it, wishes for it anew, and shows the original meanwhile.
pub(crate) async fn replace_lost(parts: &Parts, image: Arc<Shelved>, lost: &Shown) -> Shown {
    if let Some((width, format)) = lost.variant {
        let key = VariantKey::new(&image.key, width, format);
        tracing::warn!(image = %image.public_id, %key, "a variant's file is lost; it is derived again");
        image.variants.forget(width, format);
        let wishing = wish_for_lost_variant(&parts.catalog, image.blob_id, width, format, parts.clock.now());
        if let Ok(Err(error)) = timeout(PATIENCE_WHEN_DEAF, wishing).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "nobody could be told that a variant is lost"
            );
        }
    }
    let mut shown = meanwhile(image, None);
    shown.varies = lost.varies;
    shown
}
