use std::fmt::Write;

/// Colours that can also be told apart in grey, by the contenders' order.
const COLOURS: [&str; 4] = ["#1b6ca8", "#d9822b", "#8a8f98", "#c0504d"];
pub(crate) const WIDTH: f64 = 760.0;
pub(crate) const HEIGHT: f64 = 360.0;
/// What is left around the field in which is drawn.
const LEFT: f64 = 90.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 60.0;
const BOTTOM: f64 = 50.0;
/// Lines across the field.
const STEPS: u32 = 5;

/// A drawing with a title, a scale from 0 on its left, and names of what is drawn.
pub(crate) struct Svg {
    text: String,
    most: f64,
}

impl Svg {
    /// `most`: the largest value that will be drawn.
    pub(crate) fn new(title: &str, unit: &str, most: f64) -> Svg {
        let mut svg = Svg { text: String::new(), most: round_up(most) };
        // Writing to a string cannot fail.
        let _ = writeln!(
            svg.text,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>"
        );
        svg.label(WIDTH / 2.0, 20.0, "middle", &format!("{title} ({unit})"));
        for step in 0..=STEPS {
            let value = svg.most * f64::from(step) / f64::from(STEPS);
            let y = svg.y(value);
            let _ = writeln!(svg.text, "<path d=\"M{LEFT} {y:.1}H{:.1}\" stroke=\"#ddd\"/>", WIDTH - RIGHT);
            svg.label(LEFT - 6.0, y + 4.0, "end", &number(value));
        }
        svg
    }

    /// Names with their colours, above the field.
    pub(crate) fn legend(&mut self, names: &[String]) {
        for (index, name) in names.iter().enumerate() {
            let x = LEFT + 150.0 * index as f64;
            let _ = writeln!(self.text, "<rect x=\"{x:.1}\" y=\"32\" width=\"12\" height=\"12\" fill=\"{}\"/>", colour(index));
            self.label(x + 17.0, 42.0, "start", name);
        }
    }

    /// Where in the field, from 0 to 1, and from its bottom on.
    pub(crate) fn x(share: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * share
    }

    pub(crate) fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value / self.most).clamp(0.0, 1.0)
    }

    pub(crate) fn bar(&mut self, x: f64, width: f64, value: f64, colour_of: usize) {
        let (top, bottom) = (self.y(value), self.y(0.0));
        let _ = writeln!(
            self.text,
            "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{}\"/>",
            bottom - top,
            colour(colour_of)
        );
        self.small(x + width / 2.0, top - 4.0, &number(value));
    }

    pub(crate) fn line(&mut self, points: &[(f64, f64)], colour_of: usize) {
        let path: Vec<String> = points.iter().map(|(x, value)| format!("{x:.1} {:.1}", self.y(*value))).collect();
        let colour = colour(colour_of);
        let _ = writeln!(self.text, "<path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>", path.join("L"));
        for (x, value) in points {
            let y = self.y(*value);
            let _ = writeln!(self.text, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
            self.small(*x, y - 8.0, &number(*value));
        }
    }

    /// A name below the field.
    pub(crate) fn below(&mut self, x: f64, text: &str) {
        self.label(x, HEIGHT - BOTTOM + 18.0, "middle", text);
    }

    pub(crate) fn finish(mut self) -> String {
        self.text += "</svg>\n";
        self.text
    }

    fn label(&mut self, x: f64, y: f64, anchor: &str, text: &str) {
        let _ = writeln!(self.text, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>", escaped(text));
    }

    fn small(&mut self, x: f64, y: f64, text: &str) {
        let _ = writeln!(
            self.text,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" font-size=\"9\">{}</text>",
            escaped(text)
        );
    }
}

fn colour(index: usize) -> &'static str {
    COLOURS[index % COLOURS.len()]
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// With three digits that count, and thousands as such.
fn number(value: f64) -> String {
    match value {
        1e6.. => format!("{:.2}M", value / 1e6),
        1e3.. => format!("{:.0}k", value / 1e3),
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        0.0 => "0".to_owned(),
        _ => format!("{value:.2}"),
    }
}

/// To the next of 1, 2, 2.5, 5 and 10 with any number of zeros.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0].map(|step| step * power).into_iter().find(|most| *most >= value).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_a_round_number() {
        assert_eq!([0.0, 1.0, 1.1, 24.0, 26.0, 501.0, 0.03].map(round_up), [1.0, 1.0, 2.0, 25.0, 50.0, 1000.0, 0.05]);
        assert_eq!([0.0, 0.456, 12.34, 456.7, 212_232.0, 1_430_000.0].map(number), ["0", "0.46", "12.3", "457", "212k", "1.43M"]);
    }

    #[test]
    fn what_is_larger_is_higher() {
        let svg = Svg::new("a < b", "s", 80.0);
        assert_eq!([svg.y(0.0), svg.y(100.0), svg.y(50.0)], [310.0, 60.0, 185.0]);
        assert!(svg.finish().contains("a &lt; b (s)"));
    }
}
