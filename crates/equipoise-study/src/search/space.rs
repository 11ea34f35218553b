//! The search space: a list or a range for each searched setting.

use super::dimension::Dimension;
use super::point::Point;
use equipoise_data::{FieldError, Stream};

/// The searched settings, each with the values it may take.
#[derive(Clone, Debug, PartialEq)]
pub struct Space(Vec<(String, Dimension)>);

/// Draws before a free point is looked for by counting.
const TRIES: usize = 200;

/// The key of the searched settings in a `[sweep]` section.
pub(crate) const SPACE: &str = "sweep.space";

/// The key of a searched setting there.
pub(crate) fn key_of(setting: &str) -> String {
    format!("{SPACE}.{setting}")
}

impl Space {
    /// A space.
    ///
    /// # Errors
    /// If there is no dimension, a key occurs twice, or a dimension is empty; the key is that of a `[sweep]` section.
    pub fn new(dimensions: Vec<(String, Dimension)>) -> Result<Space, FieldError> {
        if dimensions.is_empty() {
            let expected = "at least one setting to search, such as \"train.lr\" = [1e-3, 1e-2]";
            return Err(FieldError::missing(SPACE, expected));
        }
        for (k, (key, dimension)) in dimensions.iter().enumerate() {
            dimension.check(&key_of(key))?;
            if dimensions[..k].iter().any(|(other, _)| other == key) {
                return Err(FieldError::missing(&key_of(key), "each setting once"));
            }
        }
        Ok(Space(dimensions))
    }

    /// The settings and their values, in order.
    pub fn dimensions(&self) -> &[(String, Dimension)] {
        &self.0
    }

    /// Number of points; `None` if a range of reals is among the dimensions, or there are more than 2^53.
    pub fn size(&self) -> Option<usize> {
        self.0.iter().try_fold(1usize, |product, (_, d)| {
            product.checked_mul(d.size()?).filter(|&size| size <= 1 << 53)
        })
    }

    /// The point number `index` in the order of the grid: the last setting changes fastest.
    ///
    /// # Panics
    /// If the space is not finite or `index` is not below its [`size`](Space::size).
    pub fn at(&self, mut index: usize) -> Point {
        let mut settings = Vec::with_capacity(self.0.len());
        for (key, dimension) in self.0.iter().rev() {
            let size = dimension.size().expect("only finite spaces are counted");
            settings.push((key.clone(), dimension.at(index % size)));
            index /= size;
        }
        assert_eq!(index, 0, "a point beyond the end of the grid");
        settings.reverse();
        Point::new(settings)
    }

    /// A point drawn from the prior: lists and ranges uniform (in the logarithm where `log` says so).
    pub fn draw(&self, stream: &mut Stream) -> Point {
        Point::new(self.0.iter().map(|(key, d)| (key.clone(), d.draw(stream))).collect())
    }

    /// The first of `draw`'s points that is not among `taken`. Where luck fails, the first free point of the
    /// grid; `None` when no point is left.
    pub fn fresh(&self, taken: &[Point], mut draw: impl FnMut() -> Point) -> Option<Point> {
        let free = |point: &Point| !taken.contains(point);
        if self.size().is_some_and(|size| size <= taken.len()) {
            // Only a space that is used up to the last point can have as many taken: each is taken once.
            return None;
        }
        let drawn = (0..TRIES).map(|_| draw()).find(free);
        drawn.or_else(|| (0..self.size()?).map(|k| self.at(k)).find(free))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_data::Seed;
    use toml::Value;

    fn space() -> Space {
        let list = Dimension::List(vec![Value::Float(0.1), Value::Float(0.2)]);
        let count = Dimension::range(1.0, 3.0).whole();
        Space::new(vec![("a".into(), list), ("b".into(), count)]).unwrap()
    }

    #[test]
    fn the_grid_has_every_point_once_and_the_last_setting_changes_fastest() {
        let space = space();
        let points: Vec<String> = (0..space.size().unwrap()).map(|k| space.at(k).to_string()).collect();
        assert_eq!(points[..2], ["a = 0.1, b = 1", "a = 0.1, b = 2"]);
        assert_eq!(points[5], "a = 0.2, b = 3");
        assert_eq!(points.len(), 6);
    }

    #[test]
    fn fresh_points_use_a_finite_space_up_and_then_end() {
        let space = space();
        let mut stream = Seed(1).stream("test");
        let mut taken = Vec::new();
        while let Some(point) = space.fresh(&taken, || space.draw(&mut stream)) {
            assert!(!taken.contains(&point));
            taken.push(point);
        }
        assert_eq!(taken.len(), 6);
        // Even where every draw is the same.
        assert_eq!(space.fresh(&taken[..1], || taken[0].clone()).unwrap(), first_other(&space, &taken[0]));
    }

    fn first_other(space: &Space, one: &Point) -> Point {
        (0..6).map(|k| space.at(k)).find(|p| p != one).unwrap()
    }

    #[test]
    fn nothing_and_the_same_twice_are_refused() {
        assert!(Space::new(Vec::new()).unwrap_err().to_string().contains("at least one setting"));
        let one = || ("a".to_owned(), Dimension::range(0.0, 1.0));
        assert!(Space::new(vec![one(), one()]).unwrap_err().to_string().contains("each setting once"));
    }
}
