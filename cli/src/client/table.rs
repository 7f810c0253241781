use console::{Alignment, Term, measure_text_width, pad_str, truncate_str};

/// Columns of text, as wide as what stands in them. On a terminal the last column is cut where a line would break.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<(&'static str, Alignment)>,
    rows: Vec<Vec<String>>,
}

/// Between two columns.
const GAP: usize = 2;

impl Table {
    /// A table with these heads; one that begins with `>` is of figures, which stand on the right.
    pub(crate) fn new(heads: &[&'static str]) -> Self {
        let columns = heads.iter().map(|head| match head.strip_prefix('>') {
            Some(head) => (head, Alignment::Right),
            None => (*head, Alignment::Left),
        });
        Self {
            columns: columns.collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Prints it on standard output.
    pub(crate) fn print(&self) {
        let terminal = Term::stdout();
        let width = terminal.is_term().then(|| usize::from(terminal.size().1));
        say_as_is!("{}", self.render(width));
    }

    /// The text, in lines of at most `width` columns of the terminal.
    pub(crate) fn render(&self, width: Option<usize>) -> String {
        let heads: Vec<String> = self.columns.iter().map(|(head, _)| (*head).to_owned()).collect();
        let wide: Vec<usize> = (0..self.columns.len())
            .map(|place| {
                let cells = self.rows.iter().chain([&heads]).filter_map(|row| row.get(place));
                cells.map(|cell| measure_text_width(cell)).max().unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        for row in [&heads].into_iter().chain(&self.rows) {
            let mut line = String::new();
            for (place, cell) in row.iter().enumerate() {
                if place > 0 {
                    line.push_str(&" ".repeat(GAP));
                }
                let alignment = self.columns[place].1;
                line.push_str(&pad_str(cell, wide[place], alignment, None));
            }
            let line = line.trim_end();
            text.push_str(&match width {
                Some(width) => truncate_str(line, width, "…"),
                None => line.into(),
            });
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other_in_any_script() {
        let mut table = Table::new(&["NAME", ">SIZE", "WHEN"]);
        table.row(["海边.jpg".to_owned(), "9".to_owned(), "now".to_owned()]);
        table.row(["a.png".to_owned(), "12 MiB".to_owned(), "then".to_owned()]);
        assert_eq!(
            table.render(None),
            "NAME        SIZE  WHEN\n海边.jpg       9  now\na.png     12 MiB  then\n"
        );
        assert_eq!(table.render(Some(12)).lines().nth(1), Some("海边.jpg   …"));
    }
}
