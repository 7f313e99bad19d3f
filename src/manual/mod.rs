//! The manual.
//!
//! | chapter | the question that it answers |
//! |---|---|
//! | [`concepts`] | What are the things called, and which way does a request go? |
//! | [`cancellation`] | What does a cancel answer, and what does each answer mean? |
//! | [`operating`] | How do cartridges go out and come in, who is asked, what is taken out of service, cleaned, put first? |
//! | [`recovery`] | What is left after a crash, a lost answer, a lost cartridge? |
//! | [`labels`] | What is written on media, and what does the manager make of it? |
//! | [`defaults`] | Which bounds and time-outs are there, where are they set, and why are they so? |
//! | [`devices`] | How is a library named, reached, owned, and what can be wrong with it? |
//! | [`quirks`] | What do real devices do otherwise than the standard says, and what is done about it? |
//! | [`iscsi`] | What is spoken of iSCSI, what does a lost connection mean, and who vouches for it? |
//! | [`iscsi_suites`] | What does the iSCSI initiator do in each test of the suites for initiators, and which test of ours holds it? |
//! | [`testing`] | How do I test my program without a library? |
//! | [`vouchers`] | Who vouches for each command: a document, a capture, a real target, a foreign initiator, or we alone? |
//! | [`from_rsm`] | Which call takes the place of which call of Removable Storage Manager? |
//!
//! The examples run as they stand, on simulated libraries. In a program of your own give a
//! [`LibraryConfig`](crate::LibraryConfig) the URL of a real changer, and [`store`](crate::ManagerBuilder::store) a file.
//!
//! What is not built yet is named where one would look for it.

pub mod cancellation;
pub mod concepts;
pub mod defaults;
pub mod devices;
pub mod from_rsm;
pub mod iscsi;
pub mod iscsi_suites;
pub mod labels;
pub mod operating;
pub mod quirks;
pub mod recovery;
pub mod testing;
pub mod vouchers;

#[cfg(test)]
mod tests {
    #[test]
    fn every_chapter_is_in_the_table_and_in_the_readme() {
        let (index, readme) = (include_str!("mod.rs"), include_str!("../../README.md"));
        let chapters = index.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
        let chapters: Vec<&str> = chapters.collect();
        assert!(chapters.len() > 10, "{chapters:?}");
        for chapter in chapters {
            assert!(index.contains(&format!("| [`{chapter}`] |")), "{chapter} is not in the table");
            assert!(
                readme.contains(&format!("](src/manual/{chapter}.rs)")),
                "{chapter} is not in the README"
            );
        }
    }
}
