use crate::svg::Svg;

/// Values by group and contender, as bars beside each other.
pub(crate) struct Bars {
    pub(crate) title: String,
    pub(crate) unit: String,
    pub(crate) names: Vec<String>,
    /// A group's name, and a value for each name; none where nothing was measured.
    pub(crate) groups: Vec<(String, Vec<Option<f64>>)>,
}

impl Bars {
    /// None if there is not one value.
    pub(crate) fn draw(&self) -> Option<String> {
        let values = self.groups.iter().flat_map(|(_, values)| values).flatten();
        let most = values.copied().reduce(f64::max)?;
        let mut svg = Svg::new(&self.title, &self.unit, most);
        svg.legend(&self.names);
        let groups = self.groups.len() as f64;
        for (number, (group, values)) in self.groups.iter().enumerate() {
            let (from, to) = (Svg::x((number as f64 + 0.1) / groups), Svg::x((number as f64 + 0.9) / groups));
            let width = (to - from) / self.names.len() as f64;
            for (index, value) in values.iter().enumerate() {
                if let Some(value) = value {
                    svg.bar(from + width * index as f64, width * 0.9, *value, index);
                }
            }
            svg.below(f64::midpoint(from, to), group);
        }
        Some(svg.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_has_a_bar() {
        let groups = vec![("W1".to_owned(), vec![Some(3.0), None]), ("W2".to_owned(), vec![Some(1.0), Some(2.0)])];
        let bars = Bars { title: "t".into(), unit: "s".into(), names: vec!["a".into(), "b".into()], groups };
        let svg = bars.draw().unwrap();
        // The ground, two names, three bars.
        assert_eq!(svg.matches("<rect").count(), 1 + 2 + 3, "{svg}");
        assert!(svg.contains(">W1</text>") && svg.ends_with("</svg>\n"), "{svg}");
        assert_eq!(Bars { groups: vec![("W1".into(), vec![None])], ..bars }.draw(), None);
    }
}
