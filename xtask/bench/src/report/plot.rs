use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Row, several};
use crate::Failure;

/// The longest bar's width.
const BARS: i32 = 450;
/// About that of a letter of the titles.
const LETTER: i32 = 6;
const ROW: u32 = 22;
const TOP: i32 = 50;
/// Room for a bar's number.
const RIGHT: i32 = 90;

/// Draws how many times as fast each work is as what it is compared with, on a logarithmic scale.
pub(crate) fn plot(rows: &[Row], path: &Path) -> Result<(), Failure> {
    let with_pods = several(rows);
    let bar = |row: &Row| {
        let [who, _] = row.against?;
        Some((format!("{} / {who}", row.title(with_pods)), row.ratio?))
    };
    let bars: Vec<(String, f64)> = rows.iter().filter_map(bar).collect();
    // Where the bars begin: right of the titles.
    let left = bars.iter().map(|(title, _)| title.chars().count()).max().unwrap_or(0) as i32 * LETTER + 20;
    let (width, height) = ((left + BARS + RIGHT) as u32, TOP as u32 + ROW * bars.len() as u32 + 20);
    let root = SVGBackend::new(path, (width, height)).into_drawing_area();
    let text =
        |size: i32, at: HPos| ("sans-serif", size).into_font().color(&BLACK).pos(Pos::new(at, VPos::Center));
    root.fill(&WHITE)?;
    root.draw_text(
        "Work a second, as a multiple of the peer's in the same run",
        &text(16, HPos::Left),
        (12, 20),
    )?;

    let low = bars.iter().map(|(_, ratio)| *ratio).fold(0.5, f64::min).ln();
    let high = bars.iter().map(|(_, ratio)| *ratio).fold(2.0, f64::max).ln();
    let scale = f64::from(BARS) / (high - low);
    let x = |ratio: f64| left + ((ratio.ln() - low) * scale).round() as i32;
    for (at, (title, ratio)) in bars.iter().enumerate() {
        let middle = TOP + ROW as i32 * at as i32 + ROW as i32 / 2;
        let (from, to) = (x(1.0).min(x(*ratio)), x(1.0).max(x(*ratio)));
        let color = if *ratio >= 1.0 { RGBColor(38, 110, 180) } else { RGBColor(190, 80, 50) };
        root.draw(&Rectangle::new([(from, middle - 7), (to, middle + 7)], color.filled()))?;
        root.draw_text(title, &text(13, HPos::Right), (left - 10, middle))?;
        root.draw_text(&format!("{ratio:.2} x"), &text(13, HPos::Left), (to + 6, middle))?;
    }
    root.draw(&PathElement::new([(x(1.0), TOP - 6), (x(1.0), height as i32 - 12)], BLACK))?;
    root.present().map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(())
}
