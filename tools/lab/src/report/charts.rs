//! The charts of the page, as SVG text. Colours of text and lines come from the page's style.
use super::{Cell, Row};
use crate::engines::Entrant;
use crate::error::LabError;
use plotters::coord::Shift;
use plotters::prelude::{
    Circle, DrawingArea, IntoDrawingArea as _, PathElement, RGBColor, Rectangle, SVGBackend, Text,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, IntoFont as _, TextStyle};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const WIDTH: u32 = 760;
const LABELS: i32 = 150;
const ROW: i32 = 26;
/// Re-coloured by the page, as all greys are.
const INK: RGBColor = RGBColor(64, 64, 64);
const GRID: RGBColor = RGBColor(200, 200, 200);

fn colour(entrant: Entrant) -> RGBColor {
    match entrant {
        Entrant::Shardmap | Entrant::ShardmapHeld => RGBColor(217, 95, 2),
        Entrant::Wordmap | Entrant::WordmapMany => RGBColor(230, 171, 2),
        Entrant::Papaya | Entrant::PapayaHeld => RGBColor(27, 158, 119),
        Entrant::Dashmap => RGBColor(117, 112, 179),
        Entrant::SccMap | Entrant::SccIndex => RGBColor(231, 41, 138),
        Entrant::Mutex64 => RGBColor(102, 166, 30),
        Entrant::Hashbrown | Entrant::OneLine | Entrant::OneLineMany => RGBColor(150, 150, 150),
    }
}

fn failed(error: impl core::fmt::Display) -> LabError {
    LabError::Report(error.to_string())
}

fn text(size: i32, anchor: HPos) -> TextStyle<'static> {
    ("sans-serif", size)
        .into_font()
        .color(&INK)
        .pos(Pos::new(anchor, VPos::Center))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "pixels of a chart; `as` saturates"
)]
fn pixel(value: f64) -> i32 {
    value.round() as i32
}

fn height(rows: usize) -> u32 {
    u32::try_from(rows).unwrap_or(0) * ROW.unsigned_abs() + 34
}

/// Throughput: a bar to the median, a whisker over the middle half of the rounds.
pub(super) fn throughput(cell: &Cell) -> Result<String, LabError> {
    let rows: Vec<&Row> = cell.rows.iter().filter(|row| row.mops.is_some()).collect();
    // The limit would squeeze all others; its bar is cut off where the scale ends.
    let top = rows
        .iter()
        .filter(|row| !row.entrant.is_limit())
        .filter_map(|row| row.mops.map(|mops| mops.upper_quartile.max(mops.median)))
        .fold(1e-3, f64::max);
    let left = LABELS + 8;
    let room = f64::from(i32::try_from(WIDTH).unwrap_or(0) - left - 110);
    let x = |value: f64| left + pixel((value / top).min(1.12) * room);
    let mut svg = String::new();
    {
        let area =
            SVGBackend::with_string(&mut svg, (WIDTH, height(rows.len()))).into_drawing_area();
        let bottom = 6 + ROW * i32::try_from(rows.len()).unwrap_or(0);
        for mark in ticks(top) {
            line(&area, (x(mark), 4), (x(mark), bottom), GRID)?;
            let label = Text::new(short(mark), (x(mark), bottom + 12), text(11, HPos::Center));
            area.draw(&label).map_err(failed)?;
        }
        for (place, row) in (0..).zip(&rows) {
            let Some(mops) = row.mops else { continue };
            let middle = 6 + ROW * place + ROW / 2;
            let name = Text::new(row.label, (LABELS, middle), text(13, HPos::Right));
            area.draw(&name).map_err(failed)?;
            let shade = if is_pin_held(row.entrant) { 0.55 } else { 0.9 };
            let corners = [(left, middle - 8), (x(mops.median), middle + 8)];
            let bar = Rectangle::new(corners, colour(row.entrant).mix(shade).filled());
            area.draw(&bar).map_err(failed)?;
            let (low, high) = (x(mops.lower_quartile), x(mops.upper_quartile));
            line(&area, (low, middle), (high, middle), INK)?;
            for end in [low, high] {
                line(&area, (end, middle - 4), (end, middle + 4), INK)?;
            }
            let is_cut = mops.median > top * 1.12;
            let shown = format!(
                "{}{}",
                short(mops.median),
                if is_cut { " \u{2192}" } else { "" }
            );
            let at = (x(mops.upper_quartile.max(mops.median)) + 8, middle);
            area.draw(&Text::new(shown, at, text(12, HPos::Left)))
                .map_err(failed)?;
        }
        area.present().map_err(failed)?;
    }
    Ok(responsive(svg))
}

/// Latency on a logarithmic scale: p50, p99, p99.9 and the maximum as dots on a line.
pub(super) fn latency(cell: &Cell) -> Result<String, LabError> {
    let rows: Vec<&Row> = cell
        .rows
        .iter()
        .filter(|row| row.latency_ns.is_some())
        .collect();
    let most = rows
        .iter()
        .filter_map(|row| row.latency_ns.map(|l| l.max))
        .max()
        .unwrap_or(10);
    let decades = (most.max(100) as f64).log10().ceil();
    let left = LABELS + 8;
    let room = f64::from(i32::try_from(WIDTH).unwrap_or(0) - left - 60);
    // The scale starts at 10 ns.
    let x = |ns: f64| left + pixel((ns.max(10.0).log10() - 1.0) / (decades - 1.0) * room);
    let mut svg = String::new();
    {
        let area =
            SVGBackend::with_string(&mut svg, (WIDTH, height(rows.len()))).into_drawing_area();
        let bottom = 6 + ROW * i32::try_from(rows.len()).unwrap_or(0);
        let mut mark = 10.0;
        while mark <= 10_f64.powf(decades) * 1.01 {
            line(&area, (x(mark), 4), (x(mark), bottom), GRID)?;
            let label = Text::new(
                duration(mark),
                (x(mark), bottom + 12),
                text(11, HPos::Center),
            );
            area.draw(&label).map_err(failed)?;
            mark *= 10.0;
        }
        for (place, row) in (0..).zip(&rows) {
            let Some(latency) = row.latency_ns else {
                continue;
            };
            let middle = 6 + ROW * place + ROW / 2;
            let name = Text::new(row.label, (LABELS, middle), text(13, HPos::Right));
            area.draw(&name).map_err(failed)?;
            let points = [latency.p50, latency.p99, latency.p999, latency.max];
            let [first, .., last] = points.map(|ns| x(ns as f64));
            line(&area, (first, middle), (last, middle), colour(row.entrant))?;
            for (size, ns) in [6, 5, 4, 3].into_iter().zip(points) {
                let dot = Circle::new((x(ns as f64), middle), size, colour(row.entrant).filled());
                area.draw(&dot).map_err(failed)?;
            }
        }
        area.present().map_err(failed)?;
    }
    Ok(responsive(svg))
}

fn is_pin_held(entrant: Entrant) -> bool {
    matches!(entrant, Entrant::ShardmapHeld | Entrant::PapayaHeld)
}

fn line(
    area: &Area<'_>,
    from: (i32, i32),
    to: (i32, i32),
    colour: RGBColor,
) -> Result<(), LabError> {
    area.draw(&PathElement::new([from, to], colour.stroke_width(1)))
        .map_err(failed)
}

/// Three to six round numbers up to `top`.
fn ticks(top: f64) -> Vec<f64> {
    let unit = 10_f64.powf(top.log10().floor());
    let step = [0.2, 0.5, 1.0, 2.0, 5.0]
        .into_iter()
        .map(|part| part * unit)
        .find(|step| top / step <= 6.0)
        .unwrap_or(unit);
    (0..=6)
        .map(|n| f64::from(n) * step)
        .take_while(|mark| *mark <= top * 1.001)
        .collect()
}

fn short(value: f64) -> String {
    match value {
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}").trim_end_matches(".0").to_owned(),
        v => format!("{v:.2}")
            .trim_end_matches("00")
            .trim_end_matches('.')
            .to_owned(),
    }
}

fn duration(ns: f64) -> String {
    match ns {
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.0} \u{b5}s", ns / 1e3),
        ns if ns < 1e9 => format!("{:.0} ms", ns / 1e6),
        ns => format!("{:.0} s", ns / 1e9),
    }
}

/// Lets the page scale it.
fn responsive(svg: String) -> String {
    let size = format!("width=\"{WIDTH}\" ");
    svg.replacen(&size, "class=\"chart\" width=\"100%\" ", 1)
}

#[cfg(test)]
mod tests {
    use super::{duration, short, ticks};

    #[test]
    fn scales_have_round_numbers() {
        assert_eq!(ticks(5.0), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(ticks(120.0), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0, 120.0]);
        assert_eq!(short(12.0), "12");
        assert_eq!(short(0.5), "0.50");
        assert_eq!(duration(10_000.0), "10 \u{b5}s");
    }
}
