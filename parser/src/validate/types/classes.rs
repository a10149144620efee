//! Classes of values that must agree in a property, and the property where it is known (union-find).

/// A disjoint-set forest over the indices `0..count`.
pub(super) struct Classes<T> {
    parents: Vec<usize>,
    known: Vec<Option<T>>,
}

impl<T> Classes<T> {
    /// Puts every index into a class of its own, of which nothing is known.
    pub(super) fn new(count: usize) -> Self {
        Self { parents: (0..count).collect(), known: std::iter::repeat_with(|| None).take(count).collect() }
    }

    /// Joins the classes of two indices. If something is known of both, that of the first is kept.
    pub(super) fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        let other = self.known.get_mut(b).and_then(Option::take);
        if let Some(slot) = self.known.get_mut(a) {
            *slot = slot.take().or(other);
        }
        if let Some(parent) = self.parents.get_mut(b) {
            *parent = a;
        }
    }

    /// Records what is known of the class of an index, unless something is known already.
    pub(super) fn know(&mut self, place: usize, what: T) {
        let root = self.root(place);
        if let Some(slot) = self.known.get_mut(root) {
            slot.get_or_insert(what);
        }
    }

    /// What is known of the class of an index.
    pub(super) fn known(&mut self, place: usize) -> Option<&T> {
        let root = self.root(place);
        self.known.get(root)?.as_ref()
    }

    /// The representative of a class. Shortens the path to it.
    fn root(&mut self, mut place: usize) -> usize {
        while let Some(&parent) = self.parents.get(place)
            && parent != place
        {
            let next = self.parents.get(parent).copied().unwrap_or(parent);
            if let Some(slot) = self.parents.get_mut(place) {
                *slot = next;
            }
            place = next;
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_one_member_is_known_of_all() {
        let mut classes = Classes::new(5);
        classes.know(3, 'x');
        classes.join(0, 1);
        classes.join(2, 3);
        assert_eq!(classes.known(1), None);
        classes.join(1, 2);
        assert_eq!(classes.known(0), Some(&'x'));
        classes.know(4, 'y');
        classes.join(4, 0);
        assert_eq!(classes.known(3), Some(&'y'));
        classes.join(9, 0);
        assert_eq!(classes.known(9), None, "beyond the last place");
    }
}
