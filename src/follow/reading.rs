//! Reading a log on, and being done with files that nobody writes to any more.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::time::Instant;

use super::known::Known;
use super::log::{Log, Means};
use super::tracked::{Reading, Tracked, open};

/// How many rotated files of one log are open, at most; a log that is rotated more often than they fall silent gives up
/// the oldest.
const OLDER: usize = 32;

impl Log {
    /// Reads on, what is older first; whether there is more.
    pub(super) fn read<F: FnMut(&[u8])>(&mut self, means: &mut Means<'_, F>) -> bool {
        match self.try_read(means) {
            Ok(more) => more,
            Err(error) => {
                // It is looked for again: a file on another machine may have gone stale.
                self.current.iter_mut().for_each(Tracked::close);
                self.trouble = Some(error);
                false
            }
        }
    }

    fn try_read<F: FnMut(&[u8])>(&mut self, means: &mut Means<'_, F>) -> io::Result<bool> {
        loop {
            for older in &mut self.older {
                match older.read(means.buffer, means.until, means.limits, means.counts, means.each) {
                    Ok(Reading::Late) => return Ok(true),
                    Ok(Reading::End) => {}
                    // Nobody writes another log into a file that was rotated out: what is there now was not appended.
                    Ok(Reading::Replaced) => older.close(),
                    Err(error) => {
                        means.counts.lost += 1;
                        older.close();
                        self.trouble = Some(error);
                    }
                }
            }
            self.finish_older(means);
            let Some(current) = &mut self.current else { return Ok(false) };
            match current.read(means.buffer, means.until, means.limits, means.counts, means.each)? {
                Reading::Late => return Ok(true),
                Reading::End => {
                    self.rest(means)?;
                    return Ok(false);
                }
                Reading::Replaced => {
                    current.close();
                    let head = open(&self.path)?;
                    self.change(head, means);
                    if Instant::now() >= means.until {
                        return Ok(true);
                    }
                }
            }
        }
    }

    /// Is done with files that were rotated out, when nobody writes to them any more.
    fn finish_older<F: FnMut(&[u8])>(&mut self, means: &mut Means<'_, F>) {
        let is_succeeded = self.current.as_ref().is_some_and(|current| {
            current.place.at > 0 || current.metadata().is_some_and(|metadata| metadata.len() > 0)
        });
        while let Some(oldest) = self.older.first() {
            let is_over = !oldest.is_open() || is_succeeded && oldest.active.elapsed() >= means.limits.quiet;
            if !is_over && self.older.len() <= OLDER {
                break;
            }
            let mut oldest = self.older.remove(0);
            if let Err(error) = oldest.finish(means.buffer, means.limits, means.counts, means.each) {
                means.counts.lost += 1;
                self.trouble = Some(error);
            }
            // Else it would be taken for new one day.
            Known::add_finished(&mut self.known, &oldest);
        }
    }

    /// Lets go of a file that nobody writes to: one that was removed after a while, others after long.
    fn rest<F: FnMut(&[u8])>(&mut self, means: &mut Means<'_, F>) -> io::Result<()> {
        let Some(current) = self.current.as_mut().filter(|current| current.is_open()) else { return Ok(()) };
        let silent = current.active.elapsed();
        if self.missing_since.is_some() && silent >= means.limits.quiet {
            if current.metadata().is_some_and(|metadata| metadata.nlink() == 0) {
                current.finish(means.buffer, means.limits, means.counts, means.each)?;
                self.current = None;
                self.awaited = true;
            }
        } else if silent >= means.limits.rest {
            current.close();
        }
        Ok(())
    }
}
