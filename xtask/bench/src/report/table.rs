use super::Row;

const HEADS: [&str; 10] =
    ["work", "who", "per second", "±", "CPU µs", "peak MiB", "allocations", "x speed", "x CPU", "x peak"];

/// Prints the rows as a table.
pub(crate) fn table(rows: &[Row], markdown: bool) {
    let with_pods = super::several(rows);
    let lines: Vec<[String; 10]> = rows.iter().map(|row| line(row, with_pods)).collect();
    let heads = HEADS.map(str::to_owned);
    let widths: Vec<usize> = (0..HEADS.len())
        .map(|at| lines.iter().chain([&heads]).map(|line| line[at].chars().count()).max().unwrap_or(0))
        .collect();
    let print = |line: &[String; 10]| {
        let cells = line.iter().zip(&widths).enumerate().map(|(at, (cell, width))| match at {
            0 | 1 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        let cells: Vec<String> = cells.collect();
        if markdown {
            println!("| {} |", cells.join(" | "));
        } else {
            println!("{}", cells.join("  ").trim_end());
        }
    };
    print(&heads);
    if markdown {
        let rules = widths.iter().enumerate().map(|(at, width)| match at {
            0 | 1 => "-".repeat(width + 2),
            _ => format!("{}:", "-".repeat(width + 1)),
        });
        println!("|{}|", rules.collect::<Vec<_>>().join("|"));
    }
    lines.iter().for_each(print);
}

fn line(row: &Row, with_pods: bool) -> [String; 10] {
    let times = |ratio: Option<f64>| ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
    [
        row.title(with_pods),
        row.who.to_owned(),
        format!("{} {}", number(row.per_s), row.unit),
        format!("{:.0} %", row.spread * 100.0),
        number(row.cpu_us),
        row.peak_mib.map_or(String::new(), number),
        row.allocations.map_or(String::new(), number),
        times(row.ratio),
        times(row.cpu_ratio),
        times(row.peak_ratio),
    ]
}

/// Three digits that count, and thousands apart.
fn number(value: f64) -> String {
    match value {
        ..0.1 => format!("{value:.4}"),
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => {
            let digits = format!("{value:.0}");
            let mut text = String::new();
            for (at, digit) in digits.chars().enumerate() {
                if at > 0 && (digits.len() - at).is_multiple_of(3) {
                    text.push(',');
                }
                text.push(digit);
            }
            text
        }
    }
}
