use console::{Alignment, Term, measure_text_width, pad_str, truncate_str};

/// Columns of text, as wide as what stands in them. On a terminal that is too narrow, columns that can be spared are left out, and
/// the last one is cut.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

#[derive(Debug)]
struct Column {
    head: &'static str,
    alignment: Alignment,
    /// Left out where there is no room for it; of several, the right one first.
    is_spare: bool,
}

/// Between two columns.
const GAP: usize = 2;
/// So much of the last column is worth more than a spare one.
const LAST: usize = 24;

impl Table {
    /// A table with these heads; `?` before one says that its column can be spared, `>` that it is of figures, which stand on the
    /// right.
    pub(crate) fn new(heads: &[&'static str]) -> Self {
        let columns = heads.iter().map(|head| {
            let (is_spare, head) = head.strip_prefix('?').map_or((false, *head), |head| (true, head));
            let (alignment, head) = match head.strip_prefix('>') {
                Some(head) => (Alignment::Right, head),
                None => (Alignment::Left, head),
            };
            Column {
                head,
                alignment,
                is_spare,
            }
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
        let heads: Vec<String> = self.columns.iter().map(|column| column.head.to_owned()).collect();
        let wide: Vec<usize> = (0..self.columns.len())
            .map(|place| {
                let cells = self.rows.iter().chain([&heads]).filter_map(|row| row.get(place));
                cells.map(|cell| measure_text_width(cell)).max().unwrap_or(0)
            })
            .collect();
        let shown = self.shown(&wide, width.unwrap_or(usize::MAX));
        let mut text = String::new();
        for row in [&heads].into_iter().chain(&self.rows) {
            let cells = shown.iter().filter_map(|place| {
                let cell = row.get(*place)?;
                Some(pad_str(cell, wide[*place], self.columns[*place].alignment, None))
            });
            let line = cells.collect::<Vec<_>>().join(&" ".repeat(GAP));
            let line = line.trim_end();
            text.push_str(&match width {
                Some(width) => truncate_str(line, width, "…"),
                None => line.into(),
            });
            text.push('\n');
        }
        text
    }

    /// Which columns there is room for.
    fn shown(&self, wide: &[usize], room: usize) -> Vec<usize> {
        let mut shown: Vec<usize> = (0..wide.len()).collect();
        loop {
            let last = wide.len().saturating_sub(1);
            let cells = shown.iter().map(|place| {
                if *place == last {
                    wide[last].min(LAST)
                } else {
                    wide[*place]
                }
            });
            let needed: usize = cells.sum::<usize>() + GAP * shown.len().saturating_sub(1);
            let spare = shown.iter().rposition(|place| self.columns[*place].is_spare);
            match spare {
                Some(spare) if needed > room => drop(shown.remove(spare)),
                _ => return shown,
            }
        }
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

    #[test]
    fn what_can_be_spared_is_left_out_before_anything_is_cut() {
        let mut table = Table::new(&["ID", "?DAY", "?>SIZE", "NAME"]);
        table.row(
            [
                "a1",
                "2024-05-01",
                "12 MiB",
                "a picture of the sea in the evening",
            ]
            .map(str::to_owned),
        );
        for (width, line) in [
            (80, "a1  2024-05-01  12 MiB  a picture of the sea in the evening"),
            (46, "a1  2024-05-01  a picture of the sea in the e…"),
            (30, "a1  a picture of the sea in t…"),
        ] {
            assert_eq!(table.render(Some(width)).lines().nth(1), Some(line));
        }
    }
}
