package com.openfaas.entrypoint;

import com.openfaas.model.IHandler;
import com.openfaas.model.IRequest;
import com.openfaas.model.IResponse;
import com.openfaas.model.Request;
import com.openfaas.model.Response;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.Phaser;

/** Serves the handler over HTTP. The watchdog starts this once, names the port, and sends requests here. */
public final class App {
    private static final Set<String> FRAMING =
            Set.of("connection", "content-length", "keep-alive", "transfer-encoding");

    private final IHandler handler;
    private final Phaser inFlight = new Phaser(1);

    private App(IHandler handler) {
        this.handler = handler;
    }

    public static void main(String[] args) throws Exception {
        // Whoever calls us decides how long to wait; a connection closed here could be in use there.
        setUnlessGiven("sun.net.httpserver.idleInterval", String.valueOf(Integer.MAX_VALUE / 1000));
        setUnlessGiven("sun.net.httpserver.maxIdleConnections", "1024");
        setUnlessGiven("sun.net.httpserver.nodelay", "true");
        new App(loadHandler()).serve(port());
    }

    private static void setUnlessGiven(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    /** What META-INF/services names, or com.openfaas.function.Handler. */
    private static IHandler loadHandler() throws ReflectiveOperationException {
        for (IHandler named : ServiceLoader.load(IHandler.class)) {
            return named;
        }
        return (IHandler) Class.forName("com.openfaas.function.Handler").getDeclaredConstructor().newInstance();
    }

    private static int port() {
        for (String name : new String[] {"http_port", "PORT"}) {
            String value = System.getenv(name);
            if (value != null && !value.isEmpty()) {
                return Integer.parseInt(value);
            }
        }
        return 8082;
    }

    private void serve(int port) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), port), 1024);

        server.createContext("/", this::answer);
        server.setExecutor(Executors.newCachedThreadPool());
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            inFlight.arriveAndAwaitAdvance();
            server.stop(0);
        }));
        server.start();
    }

    private void answer(HttpExchange exchange) {
        inFlight.register();
        try (exchange) {
            send(exchange, call(read(exchange)));
        } catch (IOException e) {
            // The other side has left.
        } finally {
            inFlight.arriveAndDeregister();
        }
    }

    private static IRequest read(HttpExchange exchange) throws IOException {
        Map<String, String> headers = new LinkedHashMap<>();

        exchange.getRequestHeaders().forEach((name, values) -> headers.put(name, values.get(0)));
        return new Request(exchange.getRequestMethod(), exchange.getRequestURI().getRawPath(),
                exchange.getRequestURI().getRawQuery(), headers, exchange.getRequestBody().readAllBytes());
    }

    private IResponse call(IRequest request) {
        try {
            IResponse response = handler.Handle(request);
            return response != null ? response : new Response();
        } catch (Exception | LinkageError | StackOverflowError e) {
            e.printStackTrace();
            IResponse failed = new Response();
            failed.setStatusCode(500);
            failed.setContentType("text/plain");
            failed.setBody("Internal Server Error\n");
            return failed;
        }
    }

    private static void send(HttpExchange exchange, IResponse response) throws IOException {
        byte[] body = response.getBodyBytes();
        int status = response.getStatusCode();
        Headers headers = exchange.getResponseHeaders();
        boolean head = exchange.getRequestMethod().equals("HEAD");
        boolean bodyless = head || status == 204 || status == 304 || body.length == 0;

        response.getHeaders().forEach((name, value) -> {
            if (!FRAMING.contains(name.toLowerCase(Locale.ROOT))) {
                headers.set(name, value);
            }
        });
        if (head) {
            headers.set("Content-Length", String.valueOf(body.length));
        }
        exchange.sendResponseHeaders(status, bodyless ? -1 : body.length);
        if (!bodyless) {
            exchange.getResponseBody().write(body);
        }
    }
}
