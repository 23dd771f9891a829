//! As much of HTTP/1.1 as it takes to serve the watchdog.

use faas::{Headers, Request, Response};
use std::io::{BufRead, Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;

const MAX_LINE: u64 = 64 << 10;
const MAX_HEADERS: usize = 1000;

/// Said by the server itself, whatever the handler thinks.
const FRAMING: [&str; 4] = ["connection", "content-length", "keep-alive", "transfer-encoding"];

pub struct Head {
    pub method: String,
    target: String,
    headers: Headers,
}

impl Head {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn into_request(self, body: Vec<u8>) -> Request {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        Request {
            path: path.to_string(),
            query: query.to_string(),
            method: self.method,
            headers: self.headers,
            body,
        }
    }
}

fn broken(why: &str) -> Error {
    Error::new(ErrorKind::InvalidData, why)
}

/// Without its end; None when there is nothing more.
fn read_line(reader: &mut impl BufRead) -> Result<Option<String>> {
    let mut line = Vec::new();
    if reader.take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.pop() != Some(b'\n') {
        return Err(broken("a line ends too early"));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(Some(String::from_utf8_lossy(&line).into_owned()))
}

fn need_line(reader: &mut impl BufRead) -> Result<String> {
    read_line(reader)?.ok_or_else(|| broken("the request ends too early"))
}

/// None when the other side has closed.
pub fn read_head(reader: &mut impl BufRead) -> Result<Option<Head>> {
    let line = match read_line(reader)? {
        Some(line) => line,
        None => return Ok(None),
    };
    let mut words = line.split(' ');
    let (method, target) = match (words.next(), words.next(), words.next()) {
        (Some(method), Some(target), Some(version)) if version.starts_with("HTTP/1.") => (method, target),
        _ => return Err(broken("no request line")),
    };
    let (method, target) = (method.to_string(), target.to_string());
    let mut headers = Headers::new();
    loop {
        let line = need_line(reader)?;
        if line.is_empty() {
            return Ok(Some(Head { method, target, headers }));
        }
        let (name, value) = line.split_once(':').ok_or_else(|| broken("a header has no colon"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_string()));
        if headers.len() > MAX_HEADERS {
            return Err(broken("too many headers"));
        }
    }
}

pub fn read_body(reader: &mut impl BufRead, mut stream: &TcpStream, head: &Head) -> Result<Vec<u8>> {
    let is = |name, wanted: &str| head.header(name).map_or(false, |v| v.eq_ignore_ascii_case(wanted));
    if is("expect", "100-continue") {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let mut body = Vec::new();
    if is("transfer-encoding", "chunked") {
        return read_chunks(reader, body);
    }
    let length = head.header("content-length").unwrap_or("0");
    let length = length.parse().map_err(|_| broken("a length that is no number"))?;
    read_exactly(reader, length, &mut body)?;
    Ok(body)
}

/// Memory is taken as the bytes arrive, whatever the length promises.
fn read_exactly(reader: &mut impl BufRead, length: u64, body: &mut Vec<u8>) -> Result<()> {
    match reader.take(length).read_to_end(body)? as u64 == length {
        true => Ok(()),
        false => Err(broken("the body ends too early")),
    }
}

fn read_chunks(reader: &mut impl BufRead, mut body: Vec<u8>) -> Result<Vec<u8>> {
    loop {
        let line = need_line(reader)?;
        let digits = line.split(';').next().unwrap_or("").trim();
        let size = u64::from_str_radix(digits, 16).map_err(|_| broken("a chunk without a size"))?;
        if size == 0 {
            break;
        }
        read_exactly(reader, size, &mut body)?;
        need_line(reader)?;
    }
    while !need_line(reader)?.is_empty() {} // trailers
    Ok(body)
}

/// Head and body in one write; bare leaves out the body and what it would be.
pub fn write(mut stream: &TcpStream, response: &Response, bare: bool) -> Result<()> {
    let bodyless = matches!(response.status, 204 | 304);
    let mut out = format!("HTTP/1.1 {} {}\r\n", response.status, reason(response.status)).into_bytes();
    for (name, value) in &response.headers {
        let framing = FRAMING.iter().any(|f| name.eq_ignore_ascii_case(f));
        if !framing && !name.contains(['\r', '\n']) && !value.contains(['\r', '\n']) {
            write!(out, "{name}: {value}\r\n")?;
        }
    }
    if !bodyless {
        write!(out, "Content-Length: {}\r\n", response.body.len())?;
    }
    out.extend_from_slice(b"\r\n");
    if !bodyless && !bare {
        out.extend_from_slice(&response.body);
    }
    stream.write_all(&out)
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        500 => "Internal Server Error",
        _ => "Status",
    }
}
