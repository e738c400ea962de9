//! A probe written over: what the account says counts, and for the rest the preset.

use toml::{Table, Value};

/// Keys of tables whose own keys are alike in upper and lower case.
const HEADERS: [&str; 2] = ["headers", "auth_inject"];

/// Writes over what there is. Tables are written over key by key; all else, a list too, is replaced.
pub(super) fn into(probe: &mut Table, changes: &Table) {
    merge(probe, changes, false);
}

fn merge(table: &mut Table, changes: &Table, are_headers: bool) {
    for (key, change) in changes {
        if are_headers {
            table.retain(|header, _| !header.eq_ignore_ascii_case(key));
        }
        match (table.get_mut(key), change) {
            (Some(Value::Table(inner)), Value::Table(change)) => merge(inner, change, HEADERS.contains(&key.as_str())),
            _ => {
                table.insert(key.clone(), change.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_written_over_key_by_key_and_all_else_whole() {
        let mut probe: Table = toml::from_str(
            "interval = '1m'\nstatus = [200]\n[query]\npage = '0'\nsize = '1'\n[headers]\nUser-Agent = 'a'\nAccept = 'b'",
        )
        .unwrap();
        let changes = toml::from_str(
            "enabled = false\nstatus = [204, 200]\n[query]\nsize = '2'\n[headers]\nuser-agent = 'c'\n[body]\ntext = ''",
        );
        into(&mut probe, &changes.unwrap());
        let expected: Table = toml::from_str(
            "interval = '1m'\nenabled = false\nstatus = [204, 200]\n[query]\npage = '0'\nsize = '2'\n\
             [headers]\nuser-agent = 'c'\nAccept = 'b'\n[body]\ntext = ''",
        )
        .unwrap();
        assert_eq!(probe, expected);
    }
}
