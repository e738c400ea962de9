//! A document of the repository: its code blocks, each of which says by a comment before it what tests call it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What stands in a comment of its own before a block.
const MARK: (&str, &str) = ("<!-- test: ", " -->");

/// How a block begins, before its language, and ends.
const FENCE: &str = "```";

/// A document's blocks by their names.
pub(crate) struct Document(BTreeMap<String, String>);

impl Document {
    /// Reads `path`, which is given from the repository's root. Each block must have a name of its own.
    #[track_caller]
    pub(crate) fn read(path: &str) -> Self {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        let mut blocks = BTreeMap::new();
        let (mut lines, mut before) = (text.lines(), "");
        while let Some(line) = lines.next() {
            if line.starts_with(FENCE) {
                let name = before.strip_prefix(MARK.0).and_then(|rest| rest.strip_suffix(MARK.1));
                let name = name.unwrap_or_else(|| panic!("{path}: a block without a name after {before:?}"));
                let block = lines.by_ref().take_while(|line| *line != FENCE).flat_map(|line| [line, "\n"]).collect();
                assert!(blocks.insert(name.to_owned(), block).is_none(), "{path}: {name} is there twice");
            }
            before = line;
        }
        Self(blocks)
    }

    /// The names of all blocks, in order.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// A block as it stands.
    #[track_caller]
    pub(crate) fn block(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_else(|| panic!("no block is called {name}; there are {:?}", self.names()))
    }

    /// A block with what must be another on this machine put into it, all of which must be there.
    #[track_caller]
    pub(crate) fn with(&self, name: &str, replacements: &[(&str, &str)]) -> String {
        let mut block = self.block(name).to_owned();
        for (written, here) in replacements {
            assert!(block.contains(written), "{name} does not say {written:?}: {block}");
            block = block.replace(written, here);
        }
        block
    }
}
