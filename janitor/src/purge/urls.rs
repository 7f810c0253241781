use catalog::Purge;
use domain::{Dialect, Dialects};
use jiff::tz::TimeZone;
use url::Url;

/// At which URLs images are seen.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// What stands before every link, without a slash at the end.
    pub base_url: String,
    /// The older hosts' contracts that are spoken.
    pub dialects: Dialects,
}

impl Addresses {
    /// Every URL of an image that can be told: with and without an extension, by its path, each variant that was there, and the
    /// older hosts' ways. Widths that nobody named lead to the named ones and are told of by those; image-proxy's tokens can't be
    /// told, and no shared cache may keep what they show.
    pub(super) fn of(&self, purge: &Purge) -> Vec<String> {
        let Purge { public_id, key, .. } = purge;
        let extension = key.rsplit_once('.').map_or("", |(_, extension)| extension);
        let mut paths = vec![
            format!("/i/{public_id}.{extension}"),
            format!("/i/{public_id}"),
            format!("/?path=/{key}"),
        ];
        for (width, format) in &purge.variants {
            paths.extend([
                format!("/i/{public_id}.{}?w={width}", format.extension()),
                format!("/i/{public_id}.{extension}?w={width}"),
                format!("/i/{public_id}?w={width}"),
            ]);
        }
        if self.dialects.contains(Dialect::Django) {
            paths.push(format!("/images/{}", key.replace('/', "")));
        }
        let mut urls: Vec<String> = paths
            .into_iter()
            .map(|path| format!("{}{path}", self.base_url))
            .collect();
        if self.dialects.contains(Dialect::Maple) {
            urls.extend(self.of_maple(purge));
        }
        urls.sort_unstable();
        urls.dedup();
        urls
    }

    /// `/images/{user}/{photo|thumb|show}/{YYYY}/{MM}/{name}`.
    fn of_maple(&self, purge: &Purge) -> Vec<String> {
        // An account that is deleted has no name; under the one that it had its images were told of when it lost it.
        if purge.username.starts_with('#') {
            return Vec::new();
        }
        let month = purge.created_at.to_zoned(TimeZone::UTC);
        let (year, month) = (month.strftime("%Y").to_string(), month.strftime("%m").to_string());
        let url = |size: &str| {
            let mut url = Url::parse(&self.base_url).ok()?;
            let segments = ["images", &purge.username, size, &year, &month, &purge.name];
            url.path_segments_mut().ok()?.pop_if_empty().extend(segments);
            Some(url.to_string())
        };
        ["photo", "thumb", "show"].into_iter().filter_map(url).collect()
    }
}

#[cfg(test)]
mod tests {
    use domain::VariantFormat;

    use super::*;

    #[test]
    fn every_url_of_an_image_is_named_once() {
        let purge = Purge {
            id: 1,
            public_id: "7h9KzQm2xRfW".to_owned(),
            key: "7d/4496551a953ca22cbf92a45e0057d4.jpg".to_owned(),
            variants: vec![(300, VariantFormat::Webp), (300, VariantFormat::Jpeg)],
            username: "bob".to_owned(),
            name: "海 sea?.jpg".to_owned(),
            created_at: "2026-01-31T23:59:59Z".parse().unwrap(),
            tries: 1,
            urls: None,
        };
        let addresses = |dialects: &[Dialect], base: &str| Addresses {
            base_url: base.to_owned(),
            dialects: dialects.iter().copied().collect(),
        };
        assert_eq!(
            addresses(&[], "https://img.example/b").of(&purge),
            [
                "https://img.example/b/?path=/7d/4496551a953ca22cbf92a45e0057d4.jpg",
                "https://img.example/b/i/7h9KzQm2xRfW",
                "https://img.example/b/i/7h9KzQm2xRfW.jpg",
                "https://img.example/b/i/7h9KzQm2xRfW.jpg?w=300",
                "https://img.example/b/i/7h9KzQm2xRfW.webp?w=300",
                "https://img.example/b/i/7h9KzQm2xRfW?w=300",
            ]
        );
        let all = addresses(&[Dialect::Django, Dialect::Maple], "https://img.example").of(&purge);
        for url in [
            "https://img.example/images/7d4496551a953ca22cbf92a45e0057d4.jpg",
            "https://img.example/images/bob/photo/2026/01/%E6%B5%B7%20sea%3F.jpg",
            "https://img.example/images/bob/thumb/2026/01/%E6%B5%B7%20sea%3F.jpg",
            "https://img.example/images/bob/show/2026/01/%E6%B5%B7%20sea%3F.jpg",
        ] {
            assert!(all.iter().any(|own| own == url), "{url} of {all:#?}");
        }
        let deleted = Purge {
            username: "#5".to_owned(),
            ..purge
        };
        assert_eq!(
            addresses(&[Dialect::Maple], "https://img.example")
                .of(&deleted)
                .len(),
            6
        );
    }
}
