use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    sync::atomic::{AtomicBool, Ordering},
};

/// A map that never weighs more than it may: to take something in it drops what was not used since it was last looked
/// at, in the order in which things lie on the ring (the CLOCK algorithm). What is asked for once and never again goes
/// first; what is asked for often stays.
#[derive(Debug)]
pub(crate) struct Ring<K, V> {
    places: HashMap<K, usize>,
    slots: Vec<Option<Slot<K, V>>>,
    free: Vec<usize>,
    hand: usize,
    weight: usize,
    capacity: usize,
}

#[derive(Debug)]
struct Slot<K, V> {
    key: K,
    value: V,
    weight: usize,
    used: AtomicBool,
}

impl<K: Hash + Eq + Clone, V> Ring<K, V> {
    /// An empty ring that carries so much.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            places: HashMap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            hand: 0,
            weight: 0,
            capacity,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let slot = self.slots.get(*self.places.get(key)?)?.as_ref()?;
        // Read first: writing would take the line from every other core that reads the same hot image.
        if !slot.used.load(Ordering::Relaxed) {
            slot.used.store(true, Ordering::Relaxed);
        }
        Some(&slot.value)
    }

    /// Takes a value in, in place of what has this key. What is heavier than the whole ring is not taken.
    pub(crate) fn insert(&mut self, key: K, value: V, weight: usize) {
        self.remove(&key);
        if weight > self.capacity {
            return;
        }
        while self.weight + weight > self.capacity && self.drop_one() {}
        self.weight += weight;
        let slot = Some(Slot {
            key: key.clone(),
            value,
            weight,
            used: AtomicBool::new(false),
        });
        let place = if let Some(place) = self.free.pop() {
            self.slots[place] = slot;
            place
        } else {
            self.slots.push(slot);
            self.slots.len() - 1
        };
        self.places.insert(key, place);
    }

    pub(crate) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let place = self.places.remove(key)?;
        self.empty(place).map(|slot| slot.value)
    }

    /// Drops whatever is not to be kept.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&V) -> bool) {
        let slots = self.slots.iter().flatten();
        let gone: Vec<K> = slots
            .filter(|slot| !keep(&slot.value))
            .map(|slot| slot.key.clone())
            .collect();
        for key in gone {
            self.remove(&key);
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.capacity);
    }

    /// Turns the hand to the next slot that was not used since it last came by, and empties it.
    fn drop_one(&mut self) -> bool {
        // Twice around at most: the first time takes every mark away.
        for _ in 0..self.slots.len() * 2 {
            self.hand = (self.hand + 1) % self.slots.len();
            let idle = self.slots[self.hand]
                .as_mut()
                .is_some_and(|slot| !std::mem::take(slot.used.get_mut()));
            if idle {
                if let Some(slot) = self.empty(self.hand) {
                    self.places.remove(&slot.key);
                }
                return true;
            }
        }
        false
    }

    fn empty(&mut self, place: usize) -> Option<Slot<K, V>> {
        let slot = self.slots[place].take()?;
        self.weight -= slot.weight;
        self.free.push(place);
        Some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_what_is_not_goes() {
        let mut ring = Ring::new(3);
        for key in 0..3 {
            ring.insert(key, key * 10, 1);
        }
        for key in 3..100 {
            assert_eq!(ring.get(&0), Some(&0), "used before every insertion of {key}");
            ring.insert(key, key * 10, 1);
            assert_eq!(ring.len(), 3);
            // Looking by `get` would be a use, and with all three in use one of them has to go all the same.
            assert!(ring.places.contains_key(&key));
        }
    }

    #[test]
    fn weights_are_kept_and_what_is_too_heavy_stays_out() {
        let mut ring = Ring::new(100);
        ring.insert("a", 'a', 60);
        ring.insert("b", 'b', 40);
        ring.insert("c", 'c', 50);
        assert_eq!((ring.get("a"), ring.get("c")), (None, Some(&'c')));
        assert!(ring.weight <= 100);
        ring.insert("d", 'd', 101);
        assert_eq!(ring.get("d"), None);
        ring.insert("c", 'C', 100);
        assert_eq!((ring.get("c"), ring.len(), ring.weight), (Some(&'C'), 1, 100));
        assert_eq!(ring.remove("c"), Some('C'));
        assert_eq!((ring.len(), ring.weight), (0, 0));
        ring.insert("e", 'e', 1);
        ring.clear();
        assert_eq!((ring.len(), ring.weight), (0, 0));
    }
}
