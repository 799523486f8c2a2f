//! SVG: cells and texts of all pictures here, and a machine as boxes in boxes.
//!
//! ```text
//! +- 2 packages, .. -------------------------------------+
//! | +- package 0 ---------------------+  +- package 1 -+ |
//! | | +- node 0, 8.0 GiB -----------+ |  |             | |
//! | | | +- L3 group 0 ----+         | |  |     ..      | |
//! | | | | +- core 0 -+    |         | |  |             | |
//! | | | | | 0 |  8 r |  ..|   ..    | |  |             | |
//! ```
//! Parts of a box stand in rows, so that it is about as high as it is wide. Equal machines are drawn alike.
use super::topo::{about, summary, without_cpus};
use crate::error::LabError;
use atomshard::topology::{CpuSet, Machine, ProcessingUnit};
use core::fmt::Display;
use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, IntoDrawingArea as _, Rectangle, SVGBackend, Text};
use plotters::style::{Color as _, RGBAColor, RGBColor};
use std::path::Path;

/// What is drawn on.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Where something is, or how large, in pixels: to the right, and down.
type Pixels = (i32, i32);

/// The colour of what a picture is about.
pub(super) const ACCENT: RGBColor = RGBColor(217, 95, 2);
const FRAME: RGBColor = RGBColor(150, 150, 150);

/// Draws a picture of this size into a file.
pub(super) fn write(
    path: &Path,
    (width, height): Pixels,
    paint: impl FnOnce(&Area<'_>) -> Result<(), LabError>,
) -> Result<(), LabError> {
    let mut svg = String::new();
    {
        let size = (width.unsigned_abs(), height.unsigned_abs());
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        paint(&area)?;
        area.present().map_err(failed)?;
    }
    std::fs::write(path, svg).map_err(LabError::at(path))
}

/// A filled rectangle, without its last row and column.
pub(super) fn cell(
    area: &Area<'_>,
    (x, y): Pixels,
    (width, height): Pixels,
    colour: RGBAColor,
) -> Result<(), LabError> {
    let corners = [(x, y), (x + width - 1, y + height - 1)];
    let cell = Rectangle::new(corners, colour.filled());
    area.draw(&cell).map_err(failed)
}

/// A text, by its upper left corner.
pub(super) fn label(area: &Area<'_>, at: Pixels, text: &str) -> Result<(), LabError> {
    let label = Text::new(text, at, ("sans-serif", 10));
    area.draw(&label).map_err(failed)
}

fn failed(error: impl Display) -> LabError {
    LabError::Report(error.to_string())
}

/// What a CPU is, beside its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Usable,
    Isolated,
    Reserved,
    NotAllowed,
    Offline,
}

impl Mark {
    const ALL: [Self; 5] = [
        Self::Usable,
        Self::Isolated,
        Self::Reserved,
        Self::NotAllowed,
        Self::Offline,
    ];

    /// Of a CPU that is online. What is more in the way counts.
    fn of(machine: &Machine, reserved: &CpuSet, cpu: usize) -> Self {
        if !machine.allowed().contains(cpu) {
            Self::NotAllowed
        } else if reserved.contains(cpu) {
            Self::Reserved
        } else if machine.isolated().contains(cpu) {
            Self::Isolated
        } else {
            Self::Usable
        }
    }

    /// The letter behind the number, the words in the legend, the colour.
    fn shown(self) -> (&'static str, &'static str, RGBAColor) {
        match self {
            Self::Usable => ("", "may be used", ACCENT.mix(0.4)),
            Self::Isolated => (
                " i",
                "i: isolated by the kernel",
                RGBColor(117, 112, 179).mix(0.5),
            ),
            Self::Reserved => (
                " r",
                "r: reserved, as asked",
                RGBColor(27, 158, 119).mix(0.5),
            ),
            Self::NotAllowed => (
                " x",
                "x: not allowed to this process",
                RGBColor(150, 150, 150).mix(0.6),
            ),
            Self::Offline => (" o", "o: offline", RGBColor(255, 255, 255).mix(1.0)),
        }
    }
}

/// A box with its text and its parts, each with its place in the box.
struct Block {
    text: String,
    colour: RGBAColor,
    size: Pixels,
    parts: Vec<(Pixels, Self)>,
}

/// Around and between parts.
const GAP: i32 = 4;
/// A line of text.
const LINE: i32 = 14;
/// The least width of a box.
const NARROW: i32 = 34;

impl Block {
    /// Without parts, and as wide as its text: about 6 pixels a letter.
    fn leaf(text: String, colour: RGBAColor) -> Self {
        let letters = i32::try_from(text.chars().count()).unwrap_or(0);
        Self {
            size: (NARROW.max(6 * letters + 2 * GAP), LINE + GAP),
            text,
            colour,
            parts: Vec::new(),
        }
    }

    /// With these parts, in rows of as many, which are together about as wide as high.
    fn of(text: String, parts: Vec<Self>) -> Self {
        let pixels = |part: &Self| i64::from(part.size.0) * i64::from(part.size.1);
        let square = parts.iter().map(pixels).sum::<i64>().isqrt();
        let widest = parts.iter().map(|part| i64::from(part.size.0)).max();
        // Two of a kind stand side by side, and are 1.41 times as wide as their square.
        let most = square * 29 / 20 / widest.map_or(1, |width| width + i64::from(GAP));
        let most = usize::try_from(most).unwrap_or(1).max(1);
        let rows = parts.len().div_ceil(most).max(1);
        let columns = parts.len().div_ceil(rows);
        Self::rows(text, parts, columns)
    }

    /// With these parts, so many in a row.
    fn rows(text: String, parts: Vec<Self>, columns: usize) -> Self {
        let mut block = Self::leaf(text, FRAME.mix(0.1));
        let (mut x, mut y, mut bottom) = (GAP, LINE + GAP, LINE + GAP);
        for (place, part) in parts.into_iter().enumerate() {
            let (width, height) = part.size;
            if place > 0 && place.is_multiple_of(columns) {
                (x, y) = (GAP, bottom);
            }
            block.parts.push(((x, y), part));
            x += width + GAP;
            bottom = bottom.max(y + height + GAP);
            block.size.0 = block.size.0.max(x);
        }
        block.size.1 = bottom;
        block
    }

    fn paint(&self, area: &Area<'_>, (x, y): Pixels) -> Result<(), LabError> {
        cell(area, (x, y), self.size, self.colour)?;
        let corners = [(x, y), (x + self.size.0 - 1, y + self.size.1 - 1)];
        let frame = Rectangle::new(corners, FRAME.stroke_width(1));
        area.draw(&frame).map_err(failed)?;
        label(area, (x + GAP, y + GAP), &self.text)?;
        for ((right, down), part) in &self.parts {
            part.paint(area, (x + right, y + down))?;
        }
        Ok(())
    }
}

/// Draws a machine into a file.
pub(super) fn machine(path: &Path, machine: &Machine, reserved: &CpuSet) -> Result<(), LabError> {
    let block = block(machine, reserved);
    write(path, block.size, |area| block.paint(area, (0, 0)))
}

/// The machine as a box: packages, nodes without CPUs, what is offline, and what the marks mean.
fn block(machine: &Machine, reserved: &CpuSet) -> Block {
    let mut marks = Vec::new();
    let mut cpu = |cpu: usize, mark: Mark| {
        marks.push(mark);
        let (letter, _, colour) = mark.shown();
        Block::leaf(format!("{cpu}{letter}"), colour)
    };
    let mut online = |unit: &ProcessingUnit| cpu(unit.cpu, Mark::of(machine, reserved, unit.cpu));
    let mut core = |units: &[ProcessingUnit]| {
        let siblings = units.iter().map(&mut online).collect();
        Block::rows(format!("core {}", units[0].core), siblings, units.len())
    };
    let mut l3 = |units: &[ProcessingUnit]| {
        let cores = units.chunk_by(|a, b| a.core == b.core);
        let cores = cores.map(&mut core).collect();
        Block::of(format!("L3 group {}", units[0].l3), cores)
    };
    let mut node = |units: &[ProcessingUnit]| {
        let groups = units.chunk_by(|a, b| a.l3 == b.l3).map(&mut l3).collect();
        let id = units[0].node;
        Block::of(format!("node {id}{}", about(machine, id)), groups)
    };
    let mut package = |units: &[ProcessingUnit]| {
        let nodes = units.chunk_by(|a, b| a.node == b.node);
        let nodes = nodes.map(&mut node).collect();
        Block::of(format!("package {}", units[0].package), nodes)
    };
    let packages = machine.pus().chunk_by(|a, b| a.package == b.package);
    let mut parts: Vec<Block> = packages.map(&mut package).collect();
    let without = without_cpus(machine);
    parts.extend(without.map(|text| Block::leaf(text, FRAME.mix(0.1))));
    if !machine.offline().is_empty() {
        let offline = machine.offline().iter();
        let offline = offline.map(|number| cpu(number, Mark::Offline)).collect();
        parts.push(Block::of("offline".to_owned(), offline));
    }
    let legend = Mark::ALL.into_iter().filter(|mark| marks.contains(mark));
    let legend = legend.map(|mark| {
        let (_, words, colour) = mark.shown();
        Block::leaf(words.to_owned(), colour)
    });
    parts.push(Block::rows("CPUs".to_owned(), legend.collect(), 1));
    let summary = summary(machine);
    let counts = summary.lines().next().unwrap_or_default();
    Block::of(counts.to_owned(), parts)
}

#[cfg(test)]
mod tests {
    use super::{Block, block};
    use atomshard::topology::{CpuSet, Machine};

    /// The texts of a box and of all in it, and whether the parts are in it and apart from each other.
    fn checked(block: &Block, texts: &mut Vec<String>) {
        texts.push(block.text.clone());
        let areas = block.parts.iter().map(|((x, y), part)| {
            let (right, bottom) = (x + part.size.0, y + part.size.1);
            assert!(
                right <= block.size.0 && bottom <= block.size.1,
                "{}",
                part.text
            );
            (*x..right, *y..bottom)
        });
        let areas: Vec<_> = areas.collect();
        for (place, (x, y)) in areas.iter().enumerate() {
            for (other_x, other_y) in &areas[..place] {
                let meet = x.start < other_x.end && other_x.start < x.end;
                assert!(
                    !(meet && y.start < other_y.end && other_y.start < y.end),
                    "{}: {areas:?}",
                    block.text
                );
            }
        }
        for (_, part) in &block.parts {
            checked(part, texts);
        }
    }

    fn texts(machine: &Machine, reserved: &str) -> Vec<String> {
        let mut texts = Vec::new();
        checked(&block(machine, &reserved.parse().unwrap()), &mut texts);
        texts
    }

    #[test]
    fn each_part_of_a_machine_is_in_its_box_and_marked() {
        let machine = Machine::of_synthetic("pack:2 [numa(memory=8GB)] core:2 pu:2").unwrap();
        let machine = machine.with_allowed(&"0-6".parse().unwrap());
        let expected = [
            "2 packages, 2 nodes, 2 L3 groups, 4 cores, 8 CPUs",
            "package 0",
            "node 0, 8.0 GiB",
            "L3 group 0",
            "core 0",
            "0 r",
            "1",
            "core 1",
            "2",
            "3",
            "package 1",
            "node 1, 8.0 GiB",
            "L3 group 1",
            "core 2",
            "4",
            "5",
            "core 3",
            "6",
            // That it is not allowed says more than that it is reserved.
            "7 x",
            "CPUs",
            "may be used",
            "r: reserved, as asked",
            "x: not allowed to this process",
        ];
        assert_eq!(texts(&machine, "0,7"), expected);
    }

    #[test]
    fn large_and_odd_machines_fit_too() {
        for text in ["core:1 pu:512", "pack:8 numa:2 l3:8 core:4 pu:2", "pu:3000"] {
            let machine = Machine::of_synthetic(text).unwrap();
            let block = block(&machine, &CpuSet::new());
            checked(&block, &mut Vec::new());
            let (width, height) = block.size;
            let is_flat = text.starts_with("core:1 ");
            assert!(
                is_flat || width < 3 * height && height < 3 * width,
                "{text}: {width} {height}"
            );
        }
    }
}
