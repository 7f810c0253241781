//! Gain maps: the small picture behind a JPEG, or beside a HEIC's, that makes it one of high dynamic range. What they mean is
//! said in XMP, so of XMP these few numbers stay; every packet is written anew with nothing else in it.

use crate::{
    dates::value_of,
    source::Source,
    survey::{Survey, What},
};

/// What a gain map's XMP may say, by its prefixed name.
const SAID: &[&str] = &[
    "hdrgm:Version",
    "hdrgm:BaseRenditionIsHDR",
    "hdrgm:GainMapMin",
    "hdrgm:GainMapMax",
    "hdrgm:Gamma",
    "hdrgm:OffsetSDR",
    "hdrgm:OffsetHDR",
    "hdrgm:HDRCapacityMin",
    "hdrgm:HDRCapacityMax",
    "apdi:NativeFormat",
    "apdi:StoredFormat",
    "HDRGainMap:HDRGainMapVersion",
    "HDRGainMap:HDRGainMapHeadroom",
];
const KIND: &str = "apdi:AuxiliaryImageType";
const APPLES: &str = "urn:com:apple:photo:2020:aux:hdrgainmap";
const NAMESPACES: &[(&str, &str)] = &[
    ("hdrgm", "http://ns.adobe.com/hdr-gain-map/1.0/"),
    ("apdi", "http://ns.apple.com/pixeldatainfo/1.0/"),
    ("HDRGainMap", "http://ns.apple.com/HDRGainMap/1.0/"),
];
/// One number for each colour.
const MOST_NUMBERS: usize = 3;

/// Whether a picture is a gain map: its XMP says so, or nothing but the segment of ISO 21496-1 does.
pub(crate) fn is_gain_map(picture: &Source, survey: &Survey) -> bool {
    survey
        .content(picture, What::Xmp)
        .and_then(|packet| map_packet(&packet))
        .is_some()
        || survey.tells_gain
}

/// The packet of a gain map with nothing in it but what the map means. None of any other packet.
pub(crate) fn map_packet(packet: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(packet);
    let is_apples = value_of(&text, KIND).is_some_and(|value| value.trim() == APPLES);
    if !is_apples && numbers(&text, "hdrgm:GainMapMax").is_none() {
        return None;
    }
    let said = SAID
        .iter()
        .filter_map(|name| Some((*name, numbers(&text, name)?)));
    let kind = is_apples.then(|| (KIND, vec![APPLES.to_owned()]));
    let properties: Vec<String> = said.chain(kind).map(|(name, all)| property(name, &all)).collect();
    let properties = properties.concat();
    let used = NAMESPACES
        .iter()
        .filter(|(prefix, _)| properties.contains(&format!("<{prefix}:")));
    let namespaces: Vec<String> = used
        .map(|(prefix, name)| format!(" xmlns:{prefix}=\"{name}\""))
        .collect();
    Some(wrap(&namespaces.concat(), &properties))
}

fn property(name: &str, all: &[String]) -> String {
    if let [one] = all {
        return format!("<{name}>{one}</{name}>");
    }
    let each: Vec<String> = all
        .iter()
        .map(|number| format!("<rdf:li>{number}</rdf:li>"))
        .collect();
    format!("<{name}><rdf:Seq>{}</rdf:Seq></{name}>", each.concat())
}

/// The packet of the picture before a gain map of so many bytes, if its own speaks of one.
pub(crate) fn primary_packet(packet: &[u8], map_bytes: u64) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(packet);
    let version = numbers(&text, "hdrgm:Version")?;
    let [version] = version.as_slice() else {
        return None;
    };
    let namespaces = " xmlns:hdrgm=\"http://ns.adobe.com/hdr-gain-map/1.0/\" \
                      xmlns:Container=\"http://ns.google.com/photos/1.0/container/\" \
                      xmlns:Item=\"http://ns.google.com/photos/1.0/container/item/\"";
    let properties = format!(
        "<hdrgm:Version>{version}</hdrgm:Version><Container:Directory><rdf:Seq>\
         <rdf:li rdf:parseType=\"Resource\"><Container:Item Item:Semantic=\"Primary\" Item:Mime=\"image/jpeg\"/></rdf:li>\
         <rdf:li rdf:parseType=\"Resource\"><Container:Item Item:Semantic=\"GainMap\" Item:Mime=\"image/jpeg\" \
         Item:Length=\"{map_bytes}\"/></rdf:li></rdf:Seq></Container:Directory>"
    );
    Some(wrap(namespaces, &properties))
}

fn wrap(namespaces: &str, properties: &str) -> Vec<u8> {
    format!(
        "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:about=\"\"{namespaces}>{properties}</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    .into_bytes()
}

/// What a packet says under this name: one number, or one for each colour. SECURITY: anything that is no number is nothing.
fn numbers(text: &str, name: &str) -> Option<Vec<String>> {
    let value = value_of(text, name)?;
    let all: Vec<String> = if value.trim().is_empty() {
        // An element of elements: up to the end of it.
        let from = text.find(&format!("<{name}>"))?;
        let inside = text[from..].split(&format!("</{name}>")).next()?;
        let each = inside.split("<rdf:li>").skip(1);
        each.map(|item| item.split('<').next().unwrap_or_default().trim().to_owned())
            .collect()
    } else {
        vec![value.trim().to_owned()]
    };
    let fits = (1..=MOST_NUMBERS).contains(&all.len()) && all.iter().all(|each| is_number(each));
    fits.then_some(all)
}

fn is_number(text: &str) -> bool {
    let is_word = matches!(text, "True" | "False" | "true" | "false");
    is_word || text.len() <= 24 && text.parse::<f64>().is_ok_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_packet_the_gain_maps_numbers_stay_and_no_word() {
        let packet = map_packet(
            br#"<x:xmpmeta><rdf:Description hdrgm:Version="1.0" hdrgm:Gamma="SECRET" dc:creator="SECRET" hdrgm:OffsetSDR='0.015'>
               <hdrgm:GainMapMax> <rdf:Seq> <rdf:li>1.5</rdf:li> <rdf:li>2</rdf:li><rdf:li>-3e-1</rdf:li></rdf:Seq></hdrgm:GainMapMax>
               <hdrgm:GainMapMin><rdf:Seq><rdf:li>SECRET</rdf:li></rdf:Seq></hdrgm:GainMapMin></rdf:Description>"#,
        )
        .unwrap();
        let text = String::from_utf8(packet.clone()).unwrap();
        assert!(
            !text.contains("SECRET") && !text.contains("Gamma") && !text.contains("apple"),
            "{text}"
        );
        assert!(
            text.contains("<rdf:li>1.5</rdf:li><rdf:li>2</rdf:li><rdf:li>-3e-1</rdf:li>"),
            "{text}"
        );
        assert!(
            text.contains("<hdrgm:OffsetSDR>0.015</hdrgm:OffsetSDR>"),
            "{text}"
        );
        assert_eq!(map_packet(&packet), Some(packet), "once is enough");
    }

    #[test]
    fn a_packet_that_speaks_of_no_gain_map_stays_nowhere() {
        for packet in [
            b"<dc:creator>me</dc:creator>".as_slice(),
            b"",
            br#"<a hdrgm:GainMapMax="much"/>"#,
            b"<apdi:AuxiliaryImageType>urn:com:apple:photo:2018:aux:portraiteffectsmatte</apdi:AuxiliaryImageType>",
        ] {
            assert_eq!(map_packet(packet), None);
            assert_eq!(primary_packet(packet, 7), None);
        }
        let primary = primary_packet(br#"<a hdrgm:Version="1.0" b="SECRET">"#, 7).unwrap();
        let text = String::from_utf8(primary.clone()).unwrap();
        assert!(
            text.contains("Item:Length=\"7\"") && !text.contains("SECRET"),
            "{text}"
        );
        assert_eq!(primary_packet(&primary, 7), Some(primary));
    }
}
