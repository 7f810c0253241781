use std::fmt::Write as _;

use domain::{Kind, Visibility};
use jiff::Timestamp;
use tokio_postgres::types::{ToSql, Type};

use super::{ImageFilter, ImagePosition, ImageQuery, ImageSort, SortKey, unused};
use crate::image::COLUMNS;

type Parameter = Box<dyn ToSql + Sync + Send>;

/// A statement in the making. Only words of this file get into its text; every value is a parameter.
pub(super) struct Statement {
    pub(super) sql: String,
    parameters: Vec<(Parameter, Type)>,
}

impl Statement {
    /// What a page is asked for with, one behind the other until it is whole.
    pub(super) fn all_of(query: &ImageQuery, now: Timestamp) -> impl Iterator<Item = Self> {
        type Way = fn(&ImageQuery, Timestamp) -> Statement;
        const UNUSED: &[Way] = &[unused::nearby, unused::by_period];
        const USUAL: &[Way] = &[Statement::of];
        let ways = if unused::is_all_that_is_asked(query) {
            UNUSED
        } else {
            USUAL
        };
        ways.iter().map(move |way| way(query, now))
    }

    /// Without text.
    pub(super) fn empty() -> Self {
        Self {
            sql: String::new(),
            parameters: Vec::new(),
        }
    }

    fn of(query: &ImageQuery, now: Timestamp) -> Self {
        let mut statement = Self::empty();
        let (key, direction) = query.sort.sql();
        let owner = match query.owner {
            Some(owner) => statement.add(owner, Type::INT8),
            None => "owner.id".to_owned(),
        };
        let mut conditions = format!("image.account_id = {owner}");
        statement.filter(query, &owner, now, &mut conditions);
        if let Some(after) = &query.after {
            let beyond = statement.behind(after, query.sort);
            let _infallible = write!(conditions, " AND {beyond}");
        }
        let limit = statement.add(query.limit, Type::INT8);
        let pages: Vec<String> = statement
            .classes(&query.filter)
            .iter()
            .map(|class| {
                format!(
                    "SELECT image.*, {key} AS sort_key FROM image WHERE {conditions}{class}
                     ORDER BY {key} {direction}, image.id {direction} LIMIT {limit}"
                )
            })
            .collect();
        let page = match &pages[..] {
            [page] => page.clone(),
            _ => format!(
                "SELECT page.* FROM (({})) AS page ORDER BY page.sort_key {direction}, page.id {direction} LIMIT {limit}",
                pages.join(") UNION ALL (")
            ),
        };
        // Each owner's page by their own index, and of those the first: an administrator's list needs no second set of indexes.
        let page = if query.owner.is_some() {
            page
        } else {
            let owners = statement.owners(&query.filter);
            format!(
                "SELECT page.* FROM {owners} AS owner CROSS JOIN LATERAL ({page}) AS page
                 ORDER BY page.sort_key {direction}, page.id {direction} LIMIT {limit}"
            )
        };
        statement.sql = format!(
            "SELECT {COLUMNS} FROM ({page}) AS image JOIN blob ON blob.id = image.blob_id
             ORDER BY image.sort_key {direction}, image.id {direction}"
        );
        statement
    }

    /// The parameters as the driver takes them.
    pub(super) fn typed(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        self.parameters
            .iter()
            .map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone()))
            .collect()
    }

    pub(super) fn add(&mut self, value: impl ToSql + Sync + Send + 'static, kind: Type) -> String {
        self.parameters.push((Box::new(value), kind));
        format!("${}", self.parameters.len())
    }

    /// Those who can have images of such a list: an album has one owner, and nothing of it is to be looked for among the images of others.
    fn owners(&mut self, filter: &ImageFilter) -> String {
        match filter.album_id {
            Some(album) => {
                let album = self.add(album, Type::INT8);
                format!("(SELECT account_id AS id FROM album WHERE id = {album})")
            }
            None => "account".to_owned(),
        }
    }

    /// What lies behind a position of a list.
    fn behind(&mut self, after: &ImagePosition, sort: ImageSort) -> String {
        let (key, direction) = sort.sql();
        self.beyond(after, key, "image.id", direction)
    }

    /// What lies behind a position, where the list goes by this key and this number.
    pub(super) fn beyond(
        &mut self,
        after: &ImagePosition,
        key: &str,
        number: &str,
        direction: &str,
    ) -> String {
        let value = match after.key.clone() {
            SortKey::Uploaded(at) | SortKey::Taken(Some(at)) => self.add(at, Type::TIMESTAMPTZ),
            // Behind the first without a date are only such. Of a comparison of rows with the least value there is, Postgres
            // thinks that next to nothing passes it, and reads all that does.
            SortKey::Taken(None) => {
                let id = self.add(after.id, Type::INT8);
                return format!("{key} = '-infinity'::timestamptz AND {number} < {id}");
            }
            SortKey::Name(name) => self.add(name, Type::TEXT),
            SortKey::Size(bytes) => self.add(bytes, Type::INT8),
        };
        let id = self.add(after.id, Type::INT8);
        let beyond = if direction == "ASC" { ">" } else { "<" };
        format!("({key}, {number}) {beyond} ({value}, {id})")
    }

    /// A condition for each class of images, a kind with a visibility, that the list shows; one without any where it shows all. Each order has an index
    /// in which every class is apart, so that a page is a short walk in each of them however rare they are, and of those the first.
    fn classes(&mut self, filter: &ImageFilter) -> Vec<String> {
        if filter.kind.is_none() && filter.visibility.is_none() {
            return vec![String::new()];
        }
        let words = |all: &[&'static str], said: Option<&'static str>| {
            said.map_or_else(|| all.to_vec(), |word| vec![word])
        };
        let kinds = words(&Kind::ALL.map(Kind::as_str), filter.kind.map(Kind::as_str));
        let visibilities = words(
            &Visibility::ALL.map(Visibility::as_str),
            filter.visibility.map(Visibility::as_str),
        );
        let mut parameters = |words: Vec<&'static str>| -> Vec<String> {
            words.into_iter().map(|word| self.add(word, Type::TEXT)).collect()
        };
        let (kinds, visibilities) = (parameters(kinds), parameters(visibilities));
        let of_kind = |kind: &String| {
            let also = |visibility| format!(" AND image.kind = {kind} AND image.visibility = {visibility}");
            visibilities.iter().map(also).collect::<Vec<_>>()
        };
        kinds.iter().flat_map(of_kind).collect()
    }

    /// Neither withdrawn nor past its end.
    pub(super) fn live(&mut self, now: Timestamp) -> String {
        let now = self.add(now, Type::TIMESTAMPTZ);
        format!("image.ended_at IS NULL AND (image.expires_at IS NULL OR image.expires_at > {now})")
    }

    fn filter(&mut self, query: &ImageQuery, owner: &str, now: Timestamp, conditions: &mut String) {
        let filter = &query.filter;
        let mut also = |condition: String| {
            conditions.push_str(" AND ");
            conditions.push_str(&condition);
        };
        if filter.ended {
            let began = self.add(query.grace_began, Type::TIMESTAMPTZ);
            also(format!("image.ended_at > {began}"));
        } else {
            also(self.live(now));
        }
        let instants = [
            (
                "coalesce(image.taken_at, '-infinity'::timestamptz) >=",
                filter.taken_from,
            ),
            (
                "image.taken_at IS NOT NULL AND coalesce(image.taken_at, '-infinity'::timestamptz) <",
                filter.taken_to,
            ),
            ("image.created_at >=", filter.uploaded_from),
            ("image.created_at <", filter.uploaded_to),
            ("image.expires_at <", filter.expiring_before),
        ];
        for (condition, at) in instants {
            if let Some(at) = at {
                let at = self.add(at, Type::TIMESTAMPTZ);
                also(format!("{condition} {at}"));
            }
        }
        if filter.no_date {
            also("coalesce(image.taken_at, '-infinity'::timestamptz) = '-infinity'::timestamptz".to_owned());
        }
        // The zone is looked at behind the index, which knows instants: no clock is further from UTC than eighteen hours.
        let wall = "image.taken_at + make_interval(mins => coalesce(image.taken_offset_minutes, 0)::integer)";
        for (day, beyond, margin) in [
            (filter.taken_day_from, ">=", "- interval '18 hours'"),
            (filter.taken_day_to, "<", "+ interval '18 hours'"),
        ] {
            if let Some(day) = day {
                let day = self.add(day, Type::TIMESTAMPTZ);
                also(format!(
                    "image.taken_at IS NOT NULL AND coalesce(image.taken_at, '-infinity'::timestamptz) {beyond} {day} {margin} AND {wall} {beyond} {day}"
                ));
            }
        }
        if let Some(album) = filter.album_id {
            let album = self.add(album, Type::INT8);
            also(format!("image.album_id = {album}"));
        }
        if let Some(since) = filter.unused_since {
            let (day, unused) = self.unused(since);
            also(format!(
                "image.id IN (SELECT seen.image_id FROM image_seen AS seen WHERE seen.account_id = {owner} AND seen.seen_period <= {day} AND {unused})"
            ));
        }
        if let Some(text) = &filter.text {
            let text = self.add(text.clone(), Type::TEXT);
            also(format!(
                "(strpos(lower(image.name), lower({text})) > 0 OR strpos(lower(image.description), lower({text})) > 0)"
            ));
            if !filter.ended {
                // What the index of terms finds when it is rare, and a walk along the list when it is common: the condition is there
                // twice. An owner only where it is a value that is known before the plan is made: of any other one Postgres
                // can't tell how common it is.
                let owner = match owner.strip_prefix('$') {
                    Some(_) => format!("ARRAY['account=' || {owner}::text] || "),
                    None => String::new(),
                };
                also(format!(
                    "image_terms(image.account_id, image.kind, image.visibility, image.name, image.description) @> ({owner}wanted_terms({text}))"
                ));
            }
        }
    }
}
