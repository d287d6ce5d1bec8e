//! What all tables share: their look, and numbers for people.

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};

/// A column: its header and which side its cells lean to.
pub(super) enum Column {
    /// Words.
    Left(&'static str),
    /// Numbers.
    Right(&'static str),
}

/// The lines of a table under a title.
pub(super) fn lines(title: &str, columns: &[Column], rows: Vec<Vec<String>>) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─')));
    table.set_header(columns.iter().map(|column| match column {
        Column::Left(name) | Column::Right(name) => *name,
    }));
    table.add_rows(rows);
    for (i, column) in columns.iter().enumerate() {
        if let (Column::Right(_), Some(cells)) = (column, table.column_mut(i)) {
            cells.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut lines = vec![title.to_owned()];
    lines.extend(table.lines());
    lines
}

/// Two blocks of lines side by side.
pub(super) fn beside(left: &[String], right: &[String]) -> Vec<String> {
    let width = left.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let line = |lines: &[String], i: usize| lines.get(i).cloned().unwrap_or_default();
    (0..left.len().max(right.len())).map(|i| format!("{:width$}   {}", line(left, i), line(right, i))).collect()
}

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A bar of `value / largest` times `width` characters, to an eighth.
pub(super) fn bar(value: f64, largest: f64, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let share = if largest > 0.0 { (value / largest).clamp(0.0, 1.0) } else { 0.0 };
    let eighths = (share * width as f64 * 8.0).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

/// The text, cut to `width` characters.
pub(super) fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// `2013-07-01T22:00:00Z` as `2013-07-01 22:00`.
pub(super) fn minute(time: &str) -> String {
    time.chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect()
}
