//! What READ ELEMENT STATUS gives in its forms, and how long commands take.

use super::*;

/// A way to ask for element status.
#[derive(Clone, Copy)]
struct Form {
    name: &'static str,
    tags: bool,
    ids: bool,
    current: bool,
}

const FORMS: [Form; 5] = [
    Form { name: "plain", tags: false, ids: false, current: false },
    Form { name: "VOLTAG", tags: true, ids: false, current: false },
    Form { name: "DVCID", tags: false, ids: true, current: false },
    Form { name: "VOLTAG+DVCID", tags: true, ids: true, current: false },
    Form { name: "VOLTAG+CURDATA", tags: true, ids: false, current: true },
];

const TAGS: Form = FORMS[1];

impl Certify {
    pub(super) fn most(&self) -> u32 {
        self.device.limits().max_transfer.min(0xFFFF)
    }

    fn status(kind: Option<ElementType>, start: u16, count: u16, form: Form, allocation: u32) -> Cdb {
        ReadElementStatus {
            element_type: kind,
            start: ElementAddress(start),
            count,
            volume_tags: form.tags,
            current_data: form.current,
            device_ids: form.ids,
            allocation,
        }
        .cdb()
    }

    /// Everything that is full, read as carefully as a manager does it.
    pub(super) async fn contents(&self) -> Result<(Contents, BTreeMap<ElementType, Vec<u16>>)> {
        let (mut full, mut all) = (Contents::new(), BTreeMap::<_, Vec<u16>>::new());
        for kind in ElementType::ALL {
            let mut start = 0;
            for _ in 0..MAX_REPORTS {
                let cdb = Self::status(Some(kind), start, u16::MAX, TAGS, self.most());
                // Past the last element, or without one of the type, libraries refuse or give nothing.
                let Ok(answer) = self.ask(cdb, self.most()).await? else { break };
                let report = ElementStatus::parse(&answer.data)?;
                let mut last = None;
                for element in report.elements().filter(|element| element.element_type() == kind) {
                    let address = element.address().0;
                    if address < start {
                        continue;
                    }
                    last = last.max(Some(address));
                    all.entry(kind).or_default().push(address);
                    if element.full() {
                        let tag = element.volume_tag().map(|tag| tag.identifier().to_owned());
                        full.insert(address, (kind, tag.filter(|tag| !tag.is_empty())));
                    }
                }
                match last.and_then(|last| last.checked_add(1)) {
                    Some(next) => start = next,
                    None => break,
                }
            }
        }
        Ok((full, all))
    }

    /// What READ ELEMENT STATUS takes; gives what is where.
    pub(super) async fn elements(&mut self) -> Result<Contents> {
        self.title("Elements");
        let (contents, all) = self.contents().await?;
        for kind in ElementType::ALL {
            let holds = contents.values().filter(|(own, _)| *own == kind);
            let labels = holds.clone().filter(|(_, tag)| tag.is_some()).count();
            let elements = all.get(&kind).map_or(0, Vec::len);
            let told = self.map.as_ref().map(|map| usize::from(map.range(kind).count));
            let odd = match told.filter(|told| *told != elements) {
                Some(told) => {
                    self.quirk(format!("page 1Dh counts {told} {kind} elements, the status {elements}"));
                    format!(", though page 1Dh says {told}")
                }
                None => String::new(),
            };
            self.fact(format!(
                "{kind}: {elements} elements, {} full, {labels} with a label{odd}",
                holds.count()
            ));
        }
        let kinds = ElementType::ALL.into_iter().filter(|kind| all.contains_key(kind)).map(Some);
        for kind in kinds.chain([None]) {
            let name = kind.map_or("all types".to_owned(), |kind| kind.to_string());
            let mut words = Vec::new();
            for form in FORMS {
                let cdb = Self::status(kind, 0, u16::MAX, form, self.most());
                let word = match self.ask(cdb, self.most()).await? {
                    Ok(answer) => match parsed(ElementStatus::parse(&answer.data)) {
                        Ok(report) => {
                            let length =
                                report.pages().map(|page| page.descriptor_length()).max().unwrap_or(0);
                            let count =
                                report.elements().filter(|element| element.device_id().is_some()).count();
                            let named = if form.ids { format!(", {count} named") } else { String::new() };
                            let odd = if report.is_well_formed() { "" } else { ", malformed" };
                            if !odd.is_empty() {
                                self.quirk(format!("the status of {name} is malformed ({})", form.name));
                            }
                            if form.ids && kind == Some(ElementType::Drive) && count == 0 {
                                self.quirk("the status of drives names none of them (DVCID)");
                            }
                            format!("{} of {length} bytes{named}{odd}", report.elements().count())
                        }
                        Err(why) => why,
                    },
                    Err(why) => why,
                };
                words.push(format!("{} {word}", form.name));
            }
            self.fact(format!("{name}: {}", words.join("; ")));
        }
        let start = all.get(&ElementType::Storage).and_then(|all| all.first()).copied().unwrap_or(0);
        let sizes = [(1, self.most()), (100, self.most()), (u16::MAX, self.most()), (u16::MAX, 4096)];
        for (count, allocation) in sizes {
            let cdb = Self::status(Some(ElementType::Storage), start, count, TAGS, allocation);
            let word = match self.ask(cdb, allocation).await? {
                Ok(answer) => match parsed(ElementStatus::parse(&answer.data)) {
                    Ok(report) => {
                        let whole = report.elements().filter(|element| element.is_complete()).count();
                        // The report's own count leaves out the header.
                        let available = u64::from(report.byte_count()) + 8;
                        if whole > usize::from(count) {
                            self.quirk("READ ELEMENT STATUS gives more elements than it is asked for");
                        }
                        if available > answer.data.len() as u64 && answer.data.len() < allocation as usize {
                            self.quirk("READ ELEMENT STATUS announces more bytes than it gives");
                        }
                        format!("{whole} whole in {} of {available} bytes", answer.data.len())
                    }
                    Err(why) => why,
                },
                Err(why) => why,
            };
            self.fact(format!("at most {count} slots in {allocation} bytes: {word}"));
        }
        Ok(contents)
    }

    /// How long commands that move nothing take, one after the other.
    pub(super) async fn times(&mut self) -> Result<()> {
        self.title("Times");
        let page = ModeSense6 { page: 0x1D, allocation: 255, ..ModeSense6::default() };
        let most = self.most();
        for (name, cdb, room) in [
            ("TEST UNIT READY", TestUnitReady {}.cdb(), 0),
            ("INQUIRY", Inquiry { vpd: None, allocation: 96 }.cdb(), 96),
            ("MODE SENSE 1Dh", page.cdb(), 255),
            ("status of drives", Self::status(Some(ElementType::Drive), 0, u16::MAX, TAGS, most), most),
            ("status of slots", Self::status(Some(ElementType::Storage), 0, u16::MAX, TAGS, most), most),
        ] {
            let mut times = Vec::with_capacity(self.runs);
            for _ in 0..self.runs {
                let start = Instant::now();
                let answer = self.ask(cdb, room).await?;
                times.push(start.elapsed());
                if let Err(why) = answer {
                    self.fact(format!("{name}: {why}"));
                    times.clear();
                    break;
                }
            }
            times.sort_unstable();
            if let (Some(half), Some(nine), Some(most), Some(last)) =
                (percentile(&times, 50), percentile(&times, 90), percentile(&times, 99), times.last())
            {
                self.fact(format!("{name}: p50 {half:.1?}, p90 {nine:.1?}, p99 {most:.1?}, max {last:.1?}"));
            }
        }
        Ok(())
    }

    /// How many commands are answered with GOOD when they are sent together.
    pub(super) async fn in_flight(&mut self) -> Result<()> {
        self.title("Commands in flight");
        let carries = self.device.limits().max_in_flight.min(MAX_IN_FLIGHT);
        for together in [1, 2, 4, 8, 16, MAX_IN_FLIGHT].into_iter().take_while(|count| *count <= carries) {
            let start = Instant::now();
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..together {
                let device = Arc::clone(&self.device);
                tasks.spawn(async move { device.execute(Command::new(TestUnitReady {}.cdb(), QUICK)).await });
            }
            let (mut good, mut other) = (0, None);
            while let Some(answer) = tasks.join_next().await {
                match answer?.map_err(Trouble::from)? {
                    Completion { status: Status::Good, .. } => good += 1,
                    answer => other = Some(answer.status),
                }
            }
            let took = start.elapsed();
            let refused = other.map(|status| format!(", others {status}")).unwrap_or_default();
            self.fact(format!("{together} TEST UNIT READY together: {good} GOOD{refused}, in {took:.1?}"));
            if other.is_some() {
                break;
            }
        }
        let carries = self.device.limits().max_in_flight;
        self.fact(format!("the path carries {carries} at once: moves_in_flight has no effect beyond that"));
        Ok(())
    }
}

/// The smallest time below or at which that share of a hundred lies.
fn percentile(sorted: &[Duration], share: usize) -> Option<Duration> {
    sorted.get((sorted.len() * share).div_ceil(100).checked_sub(1)?).copied()
}
