package com.openfaas.function;

import com.openfaas.model.IHandler;

/**
 * Run at every build, with all classes called ...Test that have a main; the build argument
 * TEST_ENABLED=false turns that off.
 */
public class HandlerTest {
    public static void main(String[] args) {
        assert IHandler.class.isAssignableFrom(Handler.class);

        // What your function promises, for example (with com.openfaas.model.* and java.util.Map imported):
        //
        // IResponse response = new Handler().Handle(new Request("hello", Map.of()));
        // assert response.getBody().equals("hello") : response.getBody();
    }
}
