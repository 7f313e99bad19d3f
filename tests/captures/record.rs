//! The record format of README.md.

use std::fs;
use std::path::{Path, PathBuf};

use autochanger_scsi::{ElementAddressAssignment, ElementRange, Status};

/// A file of records.
pub(crate) struct Capture {
    /// Where it was found, below the directory that was asked for.
    pub(crate) name: String,
    /// The element addresses, where the first line tells them.
    pub(crate) layout: Option<ElementAddressAssignment>,
    pub(crate) records: Vec<Record>,
}

/// One command and its answer.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) cdb: Vec<u8>,
    /// Room for data-in.
    pub(crate) room: usize,
    /// `None` if the command was never sent.
    pub(crate) answer: Option<Answer>,
}

pub(crate) struct Answer {
    pub(crate) status: Status,
    /// Positive: fewer bytes than there was room for. Negative: more.
    pub(crate) residual: i64,
    /// How many bytes of data-in the record says there are.
    pub(crate) got: usize,
    pub(crate) sense: Vec<u8>,
    pub(crate) data: Vec<u8>,
}

impl Capture {
    /// The record with this name; the first, if there are several.
    pub(crate) fn record(&self, name: &str) -> &Record {
        let found = self.records.iter().find(|record| record.name == name);
        found.unwrap_or_else(|| panic!("{} has no record {name:?}", self.name))
    }

    /// The record of this name that follows the first record called `after`.
    pub(crate) fn record_after(&self, after: &str, name: &str) -> &Record {
        let mut records = self.records.iter().skip_while(|record| record.name != after);
        let found = records.find(|record| record.name == name);
        found.unwrap_or_else(|| panic!("{} has no record {name:?} after {after:?}", self.name))
    }

    fn parse(name: String, text: &str) -> Self {
        let mut lines = text.lines().enumerate().peekable();
        let layout = lines.peek().and_then(|(_, first)| layout(first));
        let mut records: Vec<Record> = Vec::new();
        for (number, line) in lines {
            let line = line.trim_end();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(title) = line.strip_prefix("==") {
                records.push(Record { name: title.trim().into(), ..Record::default() });
                continue;
            }
            let understood = records.last_mut().and_then(|record| record.read(line));
            assert!(
                understood.is_some(),
                "{name}, line {}: {line:?} is not of the record format",
                number + 1
            );
        }
        Self { name, layout, records }
    }
}

impl Record {
    /// The data-in of a command that was answered.
    pub(crate) fn data(&self) -> &[u8] {
        &self.answer.as_ref().expect("the command was sent").data
    }

    /// The sense data of a command that was answered.
    pub(crate) fn sense(&self) -> &[u8] {
        &self.answer.as_ref().expect("the command was sent").sense
    }

    /// Takes in one line; `None` if it is not of the format.
    fn read(&mut self, line: &str) -> Option<()> {
        let (word, rest) = line.split_once(' ')?;
        match word {
            "cdb" => self.read_command(rest),
            "status" => self.read_status(rest),
            "sense" => {
                self.answer.as_mut()?.sense = hex(rest)?;
                Some(())
            }
            "ioctl" => rest.strip_prefix("errno ")?.parse::<u32>().ok().map(|_| ()),
            _ => {
                let data = &mut self.answer.as_mut()?.data;
                if usize::from_str_radix(word, 16).ok()? != data.len() {
                    return None;
                }
                data.extend(hex(rest)?);
                Some(())
            }
        }
    }

    fn read_command(&mut self, line: &str) -> Option<()> {
        let mut parts = line.split(';').map(str::trim);
        self.cdb = hex(parts.next()?)?;
        for part in parts {
            let (direction, value) = part.split_once(' ')?;
            match direction {
                "in" => self.room = value.parse().ok()?,
                "out" => _ = hex(value)?,
                _ => return None,
            }
        }
        Some(())
    }

    fn read_status(&mut self, line: &str) -> Option<()> {
        let words: Vec<_> = line.split_whitespace().collect();
        let value = |key| words.iter().skip_while(|word| **word != key).nth(1);
        let residual = match value("resid")?.strip_prefix('+') {
            Some(more) => -more.parse::<i64>().ok()?,
            None => value("resid")?.parse().ok()?,
        };
        let status = Status::from(u8::from_str_radix(words.first()?, 16).ok()?);
        let got = value("got")?.parse().ok()?;
        self.answer = Some(Answer { status, residual, got, sense: Vec::new(), data: Vec::new() });
        Some(())
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).ok()).collect()
}

/// `layout slot=1000 nslot=20 …` of a first line, in decimal or hexadecimal.
fn layout(line: &str) -> Option<ElementAddressAssignment> {
    let (_, text) = line.strip_prefix('#')?.split_once("layout ")?;
    let number = |key: &str| {
        let words = text.split_whitespace().map(|word| word.trim_end_matches(['.', ',', ';']));
        let value = words.filter_map(|word| word.split_once('=')).find(|(name, _)| *name == key)?.1;
        match value.strip_prefix("0x") {
            Some(digits) => u16::from_str_radix(digits, 16).ok(),
            None => value.parse().ok(),
        }
    };
    Some(ElementAddressAssignment {
        transport: ElementRange::new(number("mte")?, number("nmte").unwrap_or(1)),
        storage: ElementRange::new(number("slot")?, number("nslot")?),
        import_export: ElementRange::new(number("ie")?, number("nie")?),
        drive: ElementRange::new(number("dte")?, number("ndte")?),
    })
}

/// All captures in a directory and below, in the order of their names.
pub(crate) fn read_directory(directory: &Path) -> Vec<Capture> {
    let mut files = Vec::new();
    find(directory, &mut files);
    files.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.strip_prefix(directory).unwrap_or(&path).display().to_string();
        Capture::parse(name, &text)
    };
    files.into_iter().map(read).collect()
}

fn find(directory: &Path, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    for path in entries.map(|entry| entry.expect("directory entry").path()) {
        if path.is_dir() {
            find(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "txt") {
            files.push(path);
        }
    }
}
