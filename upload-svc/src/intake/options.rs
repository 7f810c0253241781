use std::{collections::HashMap, time::Duration};

use domain::{Refusal, Scrub, Visibility, parse_duration};

/// What a form says about its files besides the files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// The album's id; the token's or the account's own when absent.
    pub(crate) album_id: Option<i64>,
    /// How long the images live; as the policy says when absent, for ever when zero.
    pub(crate) lifetime: Option<Duration>,
    /// A name to use in place of the file's own.
    pub(crate) name: Option<String>,
    /// What the owner says about them.
    pub(crate) description: String,
    /// Who may see them; as the policy says when absent.
    pub(crate) visibility: Option<Visibility>,
    /// What of their metadata is to go; what the account or the settings say when absent.
    pub(crate) scrub: Option<Scrub>,
    /// Whether all of them are taken or none.
    pub(crate) is_atomic: bool,
}

/// Reads the options of the native API; fields that it doesn't know are passed over, because every client sends some.
pub(crate) fn read(fields: &HashMap<String, String>) -> Result<Options, Refusal> {
    let said = |name: &str| {
        fields
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    };
    let invalid = |field, reason: String| Refusal::InvalidField { field, reason };
    if fields.values().any(|value| value.contains('\0')) {
        return Err(Refusal::MalformedMultipart(
            "a field of text holds a NUL character".to_owned(),
        ));
    }
    let album = said("album").map(str::parse).transpose();
    let lifetime = said("expires_in").map(parse_duration).transpose();
    let visibility = said("visibility").map(str::parse).transpose();
    let scrub = said("scrub").map(str::parse).transpose();
    Ok(Options {
        album_id: album.map_err(|_| invalid("album", "expected the number of an album".to_owned()))?,
        lifetime: lifetime.map_err(|error| invalid("expires_in", error.to_string()))?,
        name: said("name").map(str::to_owned),
        description: said("description").unwrap_or_default().to_owned(),
        visibility: visibility
            .map_err(|error: domain::InvalidVisibility| invalid("visibility", error.to_string()))?,
        scrub: scrub.map_err(|error: domain::InvalidScrub| invalid("scrub", error.to_string()))?,
        is_atomic: match said("atomic") {
            None | Some("false" | "0" | "off" | "no") => false,
            Some("true" | "1" | "on" | "yes") => true,
            Some(_) => return Err(invalid("atomic", "expected true or false".to_owned())),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> Result<Options, Refusal> {
        read(
            &pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn options_are_read_and_strange_fields_passed_over() {
        let all = options(&[
            ("album", "7"),
            ("expires_in", "2h"),
            ("name", "a.png"),
            ("description", "x"),
            ("visibility", "private"),
            ("scrub", "all"),
            ("atomic", "true"),
            ("utm", "1"),
        ]);
        let expected = Options {
            album_id: Some(7),
            lifetime: Some(Duration::from_hours(2)),
            name: Some("a.png".to_owned()),
            description: "x".to_owned(),
            visibility: Some(Visibility::Private),
            scrub: Some(Scrub::All),
            is_atomic: true,
        };
        assert_eq!(all, Ok(expected));
        assert_eq!(
            options(&[("expires_in", ""), ("album", "")]),
            Ok(Options::default())
        );
    }

    #[test]
    fn a_bad_option_names_its_field() {
        for (field, value) in [
            ("album", "holidays"),
            ("expires_in", "soon"),
            ("visibility", "secret"),
            ("scrub", "some"),
            ("atomic", "perhaps"),
        ] {
            match options(&[(field, value)]) {
                Err(Refusal::InvalidField { field: named, .. }) => assert_eq!(named, field),
                other => panic!("{field}: {other:?}"),
            }
        }
    }
}
