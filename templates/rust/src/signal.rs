//! Waiting for SIGTERM or SIGINT. The standard library has no signals, the C library below it has.

use std::io::{Read, Write};
use std::os::unix::io::{AsRawFd, FromRawFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicI32, Ordering};

const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

extern "C" {
    fn signal(number: i32, handler: usize) -> usize;
}

static WAKE: AtomicI32 = AtomicI32::new(-1);

/// Nothing but a write to a socket: little else may be done in a signal handler.
extern "C" fn wake(_number: i32) {
    // Not owned here, so it must not be closed here.
    let mut end = std::mem::ManuallyDrop::new(unsafe { UnixStream::from_raw_fd(WAKE.load(Ordering::Relaxed)) });
    let _ = end.write(b".");
}

pub struct Termination {
    ours: UnixStream,
    _theirs: UnixStream,
}

impl Termination {
    pub fn wait(mut self) {
        let _ = self.ours.read(&mut [0]);
    }
}

pub fn on_termination() -> Termination {
    let (ours, theirs) = UnixStream::pair().expect("two descriptors are left");
    let handler = wake as extern "C" fn(i32);

    WAKE.store(theirs.as_raw_fd(), Ordering::Relaxed);
    for number in [SIGINT, SIGTERM] {
        unsafe { signal(number, handler as usize) };
    }
    Termination { ours, _theirs: theirs }
}
