use faas::{Request, Response};

/// What is returned becomes the answer: a Response, a string, bytes, or a Result of these.
pub fn handle(request: Request) -> Response {
    Response::new(request.body)
}

// Run at every build; the build argument TEST_ENABLED=false turns that off.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_handler() {
        let _ = handle;
    }

    // What your function promises, for example:
    //
    // #[test]
    // fn the_body_comes_back() {
    //     let request = Request { body: b"hello".to_vec(), ..Request::default() };
    //     assert_eq!(handle(request), Response::new("hello"));
    // }
}
