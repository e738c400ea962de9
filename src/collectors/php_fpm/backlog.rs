//! How many requests wait at a Unix socket, from the kernel (`man 7 sock_diag`).
//!
//! FPM knows its queue for TCP only (it reads `TCP_INFO`) and says 0 for a Unix socket, which is what most shops have.
//! The kernel tells everybody, also while no worker is free to answer.

use std::collections::HashMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with};

use super::source::inside;

/// The length of a netlink message's head.
const HEAD: usize = 16;
/// The length of `struct unix_diag_msg`.
const MESSAGE: usize = 16;
/// The length of an attribute's head.
const ATTRIBUTE: usize = 4;

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST_DUMP: u16 = 0x301;
const AF_UNIX: u8 = 1;
/// A bit for each state; 10 is `TCP_LISTEN`, for Unix sockets too.
const LISTENING: u32 = 1 << 10;
const UDIAG_SHOW_NAME: u32 = 0x01;
const UDIAG_SHOW_VFS: u32 = 0x02;
const UDIAG_SHOW_RQLEN: u32 = 0x10;
const UNIX_DIAG_NAME: u16 = 0;
const UNIX_DIAG_VFS: u16 = 1;
const UNIX_DIAG_RQLEN: u16 = 4;

const LOWER_HALF: u64 = 0xffff_ffff;

/// What one read may bring: the kernel's dumps come in pieces of at most 32 KiB.
const PIECE_BYTES: usize = 32 << 10;

/// How many pieces we read: enough for some 20,000 listening sockets.
const PIECES: usize = 64;

/// The queue of a listening socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Backlog {
    /// Connections that nobody has taken yet.
    pub(super) waiting: u32,
    /// How many there may be.
    pub(super) limit: u32,
}

/// The queues of these sockets, as far as this network namespace has them; none where the kernel does not tell.
pub(super) fn of(root: &Path, sockets: &[PathBuf]) -> HashMap<PathBuf, Backlog> {
    let mut found = HashMap::new();
    let Ok(pieces) = dump() else { return found };
    // A path may have been bound twice, by a socket that is gone from the file system but not yet closed; and FPM may
    // have bound it by another name, `/var/run` for `/run`.
    let place = |path: &Path| fs::metadata(inside(root, path)).ok().map(|metadata| (metadata.ino(), metadata.dev()));
    let places: Vec<_> = sockets.iter().filter_map(|path| Some((path, place(path)?))).collect();
    for listener in pieces.iter().flat_map(|piece| listeners(piece)) {
        for (path, (inode, device)) in &places {
            // The kernel tells the lower half of the inode's number, and on btrfs another device than stat(2).
            let is_named = || path.as_os_str().as_bytes() == listener.name;
            if inode & LOWER_HALF == u64::from(listener.inode)
                && (is_named() || kernel_device(*device) == listener.device)
            {
                found.insert((*path).clone(), listener.backlog);
            }
        }
    }
    found
}

/// A device as the kernel numbers it inside: `MKDEV`.
fn kernel_device(device: u64) -> u32 {
    rustix::fs::major(device) << 20 | rustix::fs::minor(device)
}

/// All that the kernel says of listening Unix sockets.
fn dump() -> Result<Vec<Vec<u8>>, Errno> {
    // Never blocks: a dump is there when the request has been sent.
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::NETLINK, SocketType::DGRAM, flags, Some(netlink::SOCK_DIAG))?;
    send(&socket, &request(), SendFlags::empty())?;
    let mut pieces = Vec::new();
    while pieces.len() < PIECES {
        let mut piece = vec![0; PIECE_BYTES];
        match recv(&socket, &mut piece[..], RecvFlags::empty()) {
            Ok((length, _)) if length > 0 => {
                piece.truncate(length);
                pieces.push(piece);
            }
            Ok(_) | Err(Errno::AGAIN) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(pieces)
}

/// `struct nlmsghdr` and `struct unix_diag_req`.
fn request() -> Vec<u8> {
    let mut wire = Vec::with_capacity(40);
    wire.extend(40_u32.to_ne_bytes());
    wire.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    wire.extend(NLM_F_REQUEST_DUMP.to_ne_bytes());
    // Sequence number and port, which a single question does not need.
    wire.extend([0; 8]);
    wire.extend([AF_UNIX, 0, 0, 0]);
    wire.extend(LISTENING.to_ne_bytes());
    wire.extend(0_u32.to_ne_bytes());
    wire.extend((UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_RQLEN).to_ne_bytes());
    // The cookie of any socket.
    wire.extend([0xff; 8]);
    wire
}

/// A listening socket of a dump.
#[derive(Debug)]
struct Listener<'a> {
    name: &'a [u8],
    inode: u32,
    device: u32,
    backlog: Backlog,
}

/// The listening sockets in a piece of a dump; whatever does not hold all we ask for is left out.
fn listeners(piece: &[u8]) -> Vec<Listener<'_>> {
    let messages = records(piece, HEAD, |head| (word(head, 0), half(head, 4)));
    messages
        .into_iter()
        .filter(|(kind, _)| *kind == SOCK_DIAG_BY_FAMILY)
        .filter_map(|(_, message)| {
            let attributes =
                records(message.get(MESSAGE..)?, ATTRIBUTE, |head| (half(head, 0).map(u32::from), half(head, 2)));
            let get = |wanted| attributes.iter().find(|(kind, _)| *kind == wanted).map(|(_, content)| *content);
            let (name, file, queue) = (get(UNIX_DIAG_NAME)?, get(UNIX_DIAG_VFS)?, get(UNIX_DIAG_RQLEN)?);
            Some(Listener {
                name: name.strip_suffix(&[0]).unwrap_or(name),
                inode: word(file, 0)?,
                device: word(file, 4)?,
                backlog: Backlog { waiting: word(queue, 0)?, limit: word(queue, 4)? },
            })
        })
        .collect()
}

/// Kind and content of records that begin with a head of this length, which gives the length of the whole and a kind;
/// each begins at a multiple of four.
fn records(mut bytes: &[u8], head: usize, read: impl Fn(&[u8]) -> (Option<u32>, Option<u16>)) -> Vec<(u16, &[u8])> {
    let mut found = Vec::new();
    while let (Some(length), Some(kind)) = read(bytes) {
        let Some(content) = usize::try_from(length).ok().and_then(|length| bytes.get(head..length)) else { break };
        found.push((kind, content));
        bytes = bytes.get((head + content.len()).next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::{UnixListener, UnixStream};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waiting_connections_are_counted() {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let path = folder.path().join("queue.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let waiting = || of(Path::new("/"), &[path.clone(), "/none".into()]).get(&path).map(|backlog| backlog.waiting);
        assert_eq!(waiting(), Some(0));
        let clients: Vec<_> = (0..3).map(|_| UnixStream::connect(&path).unwrap()).collect();
        assert_eq!(waiting(), Some(3));
        listener.accept().unwrap();
        assert_eq!(waiting(), Some(2));
        drop((clients, listener));
        assert_eq!(waiting(), None);
    }

    #[test]
    fn a_socket_is_found_by_another_name() {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let (path, link) = (folder.path().join("queue.sock"), folder.path().join("link.sock"));
        let _listener = UnixListener::bind(&path).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let _client = UnixStream::connect(&path).unwrap();
        assert_eq!(of(Path::new("/"), std::slice::from_ref(&link)).get(&link).map(|backlog| backlog.waiting), Some(1));
    }

    proptest! {
        #[test]
        fn no_piece_panics(piece: Vec<u8>) {
            listeners(&piece);
        }
    }
}
