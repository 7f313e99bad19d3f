//! Which commands and log pages a library has.

use super::*;

impl Certify {
    /// Whether EXCHANGE MEDIUM between slots is worth a try.
    pub(super) async fn commands(&mut self, capabilities: Option<DeviceCapabilities>) -> Result<bool> {
        self.title("Commands");
        let slot = ElementType::Storage;
        let said = capabilities.map(|can| can.can_exchange(slot, slot));
        let word = said.map_or("nothing", |can| if can { "yes" } else { "no" });
        self.fact(format!("EXCHANGE MEDIUM between slots, by page 1Fh: {word}"));
        let all = ReportSupportedOperationCodes { allocation: ROOM.into(), ..Default::default() };
        let answer = self.ask(all.cdb(), ROOM.into()).await?;
        let list = answer.as_ref().map_err(String::clone);
        let listed = match list.and_then(|answer| parsed(SupportedCommands::parse(&answer.data))) {
            Ok(list) => {
                let codes: BTreeSet<u8> = list.commands().map(|command| command.opcode).collect();
                let hex = |codes: &mut dyn Iterator<Item = &u8>| {
                    codes.map(|code| format!("{code:02X}")).collect::<Vec<_>>().join(" ")
                };
                self.fact(format!("REPORT SUPPORTED OPERATION CODES: {}", hex(&mut codes.iter())));
                let unknown = hex(&mut codes.iter().filter(|code| command_name(**code).is_none()));
                if !unknown.is_empty() {
                    self.fact(format!("codes without a name here: {unknown}"));
                }
                let exchanges = list.find(0xA6, None).is_some();
                if said == Some(true) && !exchanges {
                    self.quirk(
                        "page 1Fh claims EXCHANGE MEDIUM, which is not among the supported operation codes",
                    );
                }
                Some(exchanges)
            }
            Err(why) => {
                self.fact(format!("REPORT SUPPORTED OPERATION CODES: {why}"));
                self.probe().await?;
                None
            }
        };
        Ok(said.or(listed).unwrap_or(false) && listed != Some(false))
    }

    /// Asks for what only reads: whether a library knows a motion is not found out by trying.
    async fn probe(&mut self) -> Result<()> {
        let keys = PersistentReserveIn { action: PersistentReserveInAction::ReadKeys, allocation: ROOM };
        for (cdb, room) in [
            (RequestSense { descriptor: false, allocation: 252 }.cdb(), 252),
            (ReportLuns { select: 0, allocation: ROOM.into() }.cdb(), ROOM),
            (LogSense { page: 0, allocation: ROOM, ..LogSense::default() }.cdb(), ROOM),
            (keys.cdb(), ROOM),
        ] {
            let name = command_name(cdb.opcode()).unwrap_or("?");
            let word = self.ask(cdb, room.into()).await?.map_or_else(|why| why, |_| "known".to_owned());
            self.fact(format!("{name}: {word}"));
        }
        Ok(())
    }

    pub(super) async fn log_pages(&mut self) -> Result<()> {
        self.title("Log pages");
        let log = |page| LogSense { page, allocation: ROOM, ..LogSense::default() }.cdb();
        let list = match self.ask(log(SupportedLogPages::PAGE), ROOM.into()).await? {
            Ok(list) => list.data,
            Err(why) => {
                self.fact(format!("LOG SENSE: {why}"));
                return Ok(());
            }
        };
        let list = match parsed(SupportedLogPages::parse(&list)) {
            Ok(list) => list,
            Err(why) => {
                self.fact(format!("log page 00h: {why}"));
                return Ok(());
            }
        };
        for (page, _) in list.pages() {
            if page == TapeAlertPage::PAGE {
                self.fact(
                    "log page 2Eh: listed, and left alone, since to read it is to clear it for everybody",
                );
                continue;
            }
            let word = match self.ask(log(page), ROOM.into()).await? {
                Ok(answer) => match LogPage::parse(&answer.data) {
                    Ok(read) => format!("{} bytes", read.bytes().len()),
                    Err(error) => error.to_string(),
                },
                Err(why) => {
                    self.quirk(format!("log page {page:02X}h is listed and cannot be read"));
                    why
                }
            };
            self.fact(format!("log page {page:02X}h: {word}"));
        }
        Ok(())
    }
}
