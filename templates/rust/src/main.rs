//! Serves the handler over HTTP. The watchdog starts this once, names the port, and sends requests here.

mod http;
mod signal;

use faas::{Request, Response};
use std::io::BufReader;
use std::net::{TcpListener, TcpStream};
use std::panic;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// How many requests are being answered, so that the end can wait for them.
#[derive(Default)]
struct InFlight {
    count: Mutex<usize>,
    changed: Condvar,
}

/// One of them, until it is dropped.
struct Busy<'a>(&'a InFlight);

impl InFlight {
    fn enter(&self) -> Busy<'_> {
        *self.count.lock().unwrap() += 1;
        Busy(self)
    }

    fn wait_for_none(&self) {
        let count = self.count.lock().unwrap();
        drop(self.changed.wait_while(count, |n| *n > 0).unwrap());
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        *self.0.count.lock().unwrap() -= 1;
        self.0.changed.notify_all();
    }
}

fn answer(request: Request) -> Response {
    // A panic has told why on stderr already.
    panic::catch_unwind(|| Response::from(handler::handle(request)))
        .unwrap_or_else(|_| Response::from("Internal Server Error\n").with_status(500))
}

/// The requests of one connection, one after the other, until the other side leaves.
fn serve(stream: TcpStream, in_flight: &InFlight) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(65536, stream.try_clone()?);
    while let Some(head) = http::read_head(&mut reader)? {
        let _busy = in_flight.enter();
        let bare = head.method == "HEAD";
        let body = http::read_body(&mut reader, &stream, &head)?;
        http::write(&stream, &answer(head.into_request(body)), bare)?;
    }
    Ok(())
}

fn port() -> u16 {
    let named = ["http_port", "PORT"].iter().find_map(|name| std::env::var(name).ok());
    named.map_or(8082, |text| text.parse().expect("the port is a number"))
}

fn main() {
    let listener = TcpListener::bind(("127.0.0.1", port())).expect("the port is free");
    let in_flight = Arc::new(InFlight::default());
    let stop = signal::on_termination();

    let busy = in_flight.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let busy = busy.clone();
            // What fails here is a connection, and the other side knows.
            thread::spawn(move || drop(serve(stream, &busy)));
        }
    });
    stop.wait();
    in_flight.wait_for_none();
}
