//! What a handler sees of a request, and how it answers.

/// Names in lower case, in the order in which they came.
pub type Headers = Vec<(String, String)>;

#[derive(Debug, Default, Clone)]
pub struct Request {
    pub method: String,
    /// As it came, percent signs and all; without the query.
    pub path: String,
    /// As it came, without the question mark.
    pub query: String,
    pub headers: Headers,
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of that name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text; what is no UTF-8 in it becomes U+FFFD.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub headers: Headers,
    pub body: Vec<u8>,
}

impl Response {
    pub fn new(body: impl Into<Vec<u8>>) -> Self {
        Response { status: 200, headers: Headers::new(), body: body.into() }
    }

    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_string(), value.to_string()));
        self
    }
}

impl From<String> for Response {
    fn from(body: String) -> Self {
        Response::new(body).with_header("Content-Type", "text/plain; charset=utf-8")
    }
}

impl From<&str> for Response {
    fn from(body: &str) -> Self {
        Response::from(body.to_string())
    }
}

impl From<Vec<u8>> for Response {
    fn from(body: Vec<u8>) -> Self {
        Response::new(body)
    }
}

/// A failure is logged, and its text sent with status 500.
impl<T: Into<Response>, E: std::fmt::Display> From<Result<T, E>> for Response {
    fn from(result: Result<T, E>) -> Self {
        match result {
            Ok(answer) => answer.into(),
            Err(e) => {
                eprintln!("{e}");
                Response::from(e.to_string()).with_status(500)
            }
        }
    }
}
