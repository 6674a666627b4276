//! Which storage does a name mean after some steps? Swaps of names, put together to one rearrangement a step.

/// A rearrangement of names: which storage each name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Renaming(Vec<usize>);

impl Renaming {
    /// Every one of `names` names means the storage of its own number.
    pub(crate) fn none(names: usize) -> Self {
        Self((0..names).collect())
    }

    /// One more name, which means the storage of its own number.
    pub(crate) fn add(&mut self) {
        self.0.push(self.0.len());
    }

    /// From now on two names mean each other's storage.
    pub(crate) fn swap(&mut self, first: usize, second: usize) {
        self.0.swap(first, second);
    }

    /// The storage that a name means.
    pub(crate) fn storage(&self, name: usize) -> usize {
        self.0[name]
    }

    /// The storages that the names mean if this comes after `earlier`.
    pub(crate) fn after(&self, earlier: &Self) -> Self {
        Self(self.0.iter().map(|&name| earlier.0[name]).collect())
    }

    /// After how many steps every name means its own storage again; none if more than `most`.
    pub(crate) fn period(&self, most: usize) -> Option<usize> {
        let own = Self::none(self.0.len());
        let mut now = self.clone();
        for steps in 1..=most {
            if now == own {
                return Some(steps);
            }
            now = self.after(&now);
        }
        None
    }

    /// The names' meanings at the start of each step of a period, the first of which changes nothing.
    pub(crate) fn phases(&self, period: usize) -> Vec<Self> {
        let own = Self::none(self.0.len());
        let next = |now: &Self| Some(self.after(now));
        std::iter::successors(Some(own), next)
            .take(period)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ping_pong_comes_back_every_second_step() {
        let mut step = Renaming::none(3);
        step.swap(0, 1);
        assert_eq!(step.period(64), Some(2));
        let phases = step.phases(2);
        assert_eq!(
            [0, 1, 2].map(|name| phases[1].storage(name)),
            [1, 0, 2],
            "the third name keeps its storage"
        );
    }

    #[test]
    fn a_ring_of_three_turns_in_the_order_of_its_swaps() {
        let mut step = Renaming::none(3);
        step.swap(0, 1);
        step.swap(1, 2);
        assert_eq!(step.period(64), Some(3));
        // What the swaps do to three values, one step after the other.
        let mut values = ['a', 'b', 'c'];
        for phase in step.phases(3) {
            let named = [0, 1, 2].map(|name| ['a', 'b', 'c'][phase.storage(name)]);
            assert_eq!(named, values);
            values.swap(0, 1);
            values.swap(1, 2);
        }
    }

    #[test]
    fn a_period_that_is_too_long_is_none() {
        let mut step = Renaming::none(10);
        for (first, second) in [(0, 1), (2, 3), (3, 4), (5, 6), (6, 7), (7, 8), (8, 9)] {
            step.swap(first, second);
        }
        assert_eq!((step.period(29), step.period(30)), (None, Some(30)));
    }

    #[test]
    fn names_that_come_later_mean_their_own_storage() {
        let mut step = Renaming::none(0);
        step.add();
        step.add();
        step.swap(0, 1);
        step.add();
        assert_eq!([0, 1, 2].map(|name| step.storage(name)), [1, 0, 2]);
    }
}
