//! What lies where: objects by their place in memory, and their fields by offset.

use std::collections::BTreeMap;

/// A kind of object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Name of the type.
    pub name: String,
    /// Size of one object in bytes.
    pub bytes: usize,
    /// Name, offset and size of the fields.
    pub fields: Vec<(String, usize, usize)>,
}

/// One object among those that are known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object {
    /// Where it begins.
    pub address: usize,
    /// Its size in bytes.
    pub bytes: usize,
}

/// The objects that are known.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// By first address: the size of all, and of what they are.
    places: BTreeMap<usize, (usize, Shape)>,
}

impl Names {
    /// Objects of one shape fill `bytes` bytes from `address` on, until something else is said of a part
    /// of them.
    pub fn place(&mut self, address: usize, bytes: usize, shape: Shape) {
        if bytes == 0 {
            return;
        }
        if matches!(self.places.get(&address), Some((size, old)) if *size == bytes && *old == shape)
        {
            return;
        }
        let end = address + bytes;
        // What lies below the end and reaches into the new place gives way; its head and tail stay.
        let below: Vec<usize> = self
            .places
            .range(..end)
            .rev()
            .map(|(from, _)| *from)
            .collect();
        for from in below {
            let Some((size, old)) = self.places.get(&from).cloned() else {
                continue;
            };
            if from + size <= address {
                // Places do not overlap: whatever is before this one ends before it.
                break;
            }
            self.places.remove(&from);
            if from < address {
                self.places.insert(from, (address - from, old.clone()));
            }
            let tail = (end - from).next_multiple_of(old.bytes.max(1));
            if tail < size {
                self.places.insert(from + tail, (size - tail, old));
            }
        }
        self.places.insert(address, (bytes, shape));
    }

    /// The object that an address lies in, and the name of its field: `Type.field`, or `Type` between
    /// the fields.
    #[must_use]
    pub fn at(&self, address: usize) -> Option<(Object, String)> {
        let (from, (size, shape)) = self.places.range(..=address).next_back()?;
        let offset = address - from;
        if offset >= *size {
            return None;
        }
        let within = offset % shape.bytes.max(1);
        let object = Object {
            address: address - within,
            bytes: shape.bytes,
        };
        let mut fields = shape.fields.iter();
        let field = fields.find(|(_, start, bytes)| (*start..start + bytes).contains(&within));
        // Without the parameters of the type.
        let name = shape.name.split('<').next().unwrap_or(&shape.name);
        let name = match field {
            Some((field, ..)) => format!("{name}.{field}"),
            None => name.to_owned(),
        };
        Some((object, name))
    }
}

#[cfg(test)]
mod tests {
    use super::{Names, Shape};

    fn shape(name: &str) -> Shape {
        Shape {
            name: name.to_owned(),
            bytes: 16,
            fields: vec![("a".to_owned(), 0, 8), ("b".to_owned(), 8, 4)],
        }
    }

    #[test]
    fn a_field_is_found_in_each_object_of_an_array() {
        let mut names = Names::default();
        names.place(100, 48, shape("Pair<u8>"));
        let at = |address| {
            names
                .at(address)
                .map(|(object, name)| (object.address, name))
        };
        assert_eq!(at(99), None);
        assert_eq!(at(100), Some((100, "Pair.a".to_owned())));
        assert_eq!(at(125), Some((116, "Pair.b".to_owned())));
        assert_eq!(at(129), Some((116, "Pair".to_owned())));
        assert_eq!(at(148), None);
    }

    #[test]
    fn the_newer_name_of_a_place_counts_and_the_rest_of_the_older_stays() {
        let mut names = Names::default();
        names.place(0, 64, shape("Old"));
        names.place(20, 16, shape("New"));
        let at = |address| {
            names
                .at(address)
                .map(|(object, name)| (object.address, name))
        };
        assert_eq!(at(18), Some((16, "Old.a".to_owned())));
        assert_eq!(at(20), Some((20, "New.a".to_owned())));
        assert_eq!(at(40), None, "the object that was cut in two");
        assert_eq!(at(48), Some((48, "Old.a".to_owned())));
    }
}
