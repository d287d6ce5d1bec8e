use crate::svg::Svg;

/// Values over a size, a line for each contender. The scale of sizes is logarithmic.
pub(crate) struct LinesChart {
    pub(crate) title: String,
    pub(crate) unit: String,
    /// What a size is of.
    pub(crate) of: String,
    /// Names, and by rising size their values.
    pub(crate) lines: Vec<(String, Vec<(f64, f64)>)>,
}

impl LinesChart {
    /// None if there is not one value.
    pub(crate) fn draw(&self) -> Option<String> {
        let points = || self.lines.iter().flat_map(|(_, points)| points);
        let most = points().map(|(_, value)| *value).reduce(f64::max)?;
        let mut sizes: Vec<f64> = points().map(|(size, _)| *size).collect();
        sizes.sort_by(f64::total_cmp);
        sizes.dedup();
        let (least, largest) = (sizes[0].ln(), sizes[sizes.len() - 1].ln());
        let x = |size: f64| Svg::x(if largest > least { 0.05 + 0.9 * (size.ln() - least) / (largest - least) } else { 0.5 });
        let mut svg = Svg::new(&self.title, &self.unit, most);
        svg.legend(&self.lines.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
        for (index, (_, points)) in self.lines.iter().enumerate() {
            svg.line(&points.iter().map(|(size, value)| (x(*size), *value)).collect::<Vec<_>>(), index);
        }
        sizes.iter().for_each(|size| svg.below(x(*size), &format!("{size} {}", self.of)));
        Some(svg.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_size_has_a_point_and_a_name() {
        let lines = vec![("a".to_owned(), vec![(1e5, 1.0), (1e6, 4.0)]), ("b".to_owned(), vec![(1e6, 2.0)])];
        let chart = LinesChart { title: "t".into(), unit: "s".into(), of: "keys".into(), lines };
        let svg = chart.draw().unwrap();
        assert_eq!((svg.matches("<circle").count(), svg.matches(" keys</text>").count()), (3, 2), "{svg}");
        assert_eq!(LinesChart { lines: Vec::new(), ..chart }.draw(), None);
    }
}
