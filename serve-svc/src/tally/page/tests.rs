use super::*;

fn words() -> Vec<AtomicU64> {
    (0..PAGE_WORDS).map(|_| AtomicU64::new(0)).collect()
}

fn view(image: u64, bytes: u64, at: i64) -> Addition {
    Addition {
        image,
        day: 20_000,
        kind: Kind::View,
        times: 1,
        bytes,
        at,
    }
}

#[test]
fn what_is_added_is_read_once_by_image_day_kind_and_site() {
    let words = words();
    let (page, mut fill) = (Page::new(&words, 7), Fill::default());
    let blog = Site::Host("blog.example");
    page.add(&mut fill, &view(1, 10, 5), &blog).unwrap();
    page.add(&mut fill, &view(1, 20, 3), &blog).unwrap();
    let refusal = Addition {
        kind: Kind::Refusal,
        bytes: 0,
        ..view(1, 0, 9)
    };
    page.add(&mut fill, &refusal, &blog).unwrap();
    let part = Addition {
        times: 0,
        ..view(1, 3, 99)
    };
    page.add(&mut fill, &part, &Site::Unnamed).unwrap();
    let mut entries = page.read_all().unwrap();
    entries.sort_by_key(|entry| (entry.times, entry.bytes));
    let summed: Vec<_> = entries
        .iter()
        .map(|entry| {
            (
                entry.kind,
                entry.times,
                entry.bytes,
                entry.last,
                entry.site.clone(),
            )
        })
        .collect();
    let blog = Site::Host("blog.example".to_owned());
    assert_eq!(
        summed,
        [
            (Kind::View, 0, 3, 0, Site::Unnamed),
            (Kind::Refusal, 1, 0, 0, blog.clone()),
            (Kind::View, 2, 30, 5, blog),
        ]
    );
    assert_eq!(page.read(&fill.slots).unwrap().len(), 3);
    // What another epoch left is not this one's.
    assert!(Page::new(&words, 8).read_all().unwrap().is_empty());
    page.clear(&fill.slots);
    assert!(page.read_all().unwrap().is_empty());
}

#[test]
fn a_crowded_page_gives_up_sites_before_images_and_then_says_that_it_is_full() {
    let words = words();
    let (page, mut fill) = (Page::new(&words, 1), Fill::default());
    for image in 1..=CROWDED as u64 {
        page.add(&mut fill, &view(image, 1, 1), &Site::Host("a.example"))
            .unwrap();
    }
    page.add(&mut fill, &view(1, 1, 1), &Site::Host("a.example"))
        .unwrap();
    page.add(&mut fill, &view(1, 1, 1), &Site::Host("b.example"))
        .unwrap();
    page.add(&mut fill, &view(1, 1, 1), &Site::Host("c.example"))
        .unwrap();
    assert_eq!(
        fill.slots.len(),
        CROWDED + 1,
        "b and c are the others of this image"
    );
    let mut image = 1_000_000;
    while page.add(&mut fill, &view(image, 1, 1), &Site::Unnamed).is_ok() {
        image += 1;
    }
    assert_eq!(fill.slots.len(), FULL);
    assert_eq!(
        page.add(&mut fill, &view(1, 1, 1), &Site::Host("d.example")),
        Ok(()),
        "what has a place is counted on"
    );
    let total: u64 = page.read_all().unwrap().iter().map(|entry| entry.times).sum();
    assert_eq!(total, FULL as u64 + 3);
}

#[test]
fn more_hosts_than_fit_are_the_others() {
    let words = words();
    let (page, mut fill) = (Page::new(&words, 1), Fill::default());
    let long = "x".repeat(LONGEST_HOST + 1);
    page.add(&mut fill, &view(1, 1, 1), &Site::Host(&long)).unwrap();
    for number in 0..500 {
        page.add(
            &mut fill,
            &view(1, 1, 1),
            &Site::Host(&format!("{number}.example")),
        )
        .unwrap();
    }
    let entries = page.read_all().unwrap();
    assert_eq!(entries.len(), HOSTS_FULL + 1);
    let others = entries.iter().find(|entry| entry.site == Site::Other).unwrap();
    assert_eq!(others.times, 501 - HOSTS_FULL as u64);
}

#[test]
fn nonsense_is_corrupt() {
    for (word, value) in [
        (1, 3 << 16 | 1 << 18),
        (1, 0xffff | 1 << 18),
        (2, 1 << 41),
        (0, 1 << 63),
    ] {
        let words = words();
        let (page, mut fill) = (Page::new(&words, 1), Fill::default());
        page.add(&mut fill, &view(1, 1, 1), &Site::Unnamed).unwrap();
        page.slot(usize::from(fill.slots[0]))[word].store(value, Relaxed);
        assert_eq!(page.read_all(), Err(Corrupt), "{word} {value}");
    }
}
