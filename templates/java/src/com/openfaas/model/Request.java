package com.openfaas.model;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

public class Request implements IRequest {
    private final byte[] body;
    private final String method;
    private final Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    private final String queryRaw;
    private final String pathRaw;

    public Request(String method, String pathRaw, String queryRaw, Map<String, String> headers, byte[] body) {
        this.method = method;
        this.pathRaw = pathRaw;
        this.queryRaw = queryRaw == null ? "" : queryRaw;
        this.headers.putAll(headers);
        this.body = body;
    }

    /** For tests of handlers that look at nothing else. */
    public Request(String body, Map<String, String> headers) {
        this("POST", "/", "", headers, body.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public String getBody() {
        return new String(body, StandardCharsets.UTF_8);
    }

    @Override
    public byte[] getBodyBytes() {
        return body;
    }

    @Override
    public String getMethod() {
        return method;
    }

    @Override
    public Map<String, String> getHeaders() {
        return headers;
    }

    @Override
    public String getHeader(String name) {
        return headers.get(name);
    }

    @Override
    public Map<String, String> getQuery() {
        Map<String, String> query = new LinkedHashMap<>();

        for (String pair : queryRaw.split("&")) {
            int at = pair.indexOf('=');
            if (!pair.isEmpty()) {
                query.putIfAbsent(decode(at < 0 ? pair : pair.substring(0, at)), decode(at < 0 ? "" : pair.substring(at + 1)));
            }
        }
        return query;
    }

    @Override
    public String getQueryRaw() {
        return queryRaw;
    }

    @Override
    public Map<String, String> getPath() {
        Map<String, String> path = new LinkedHashMap<>();
        String[] parts = pathRaw.replaceFirst("^/", "").split("/");

        for (int i = 0; i < parts.length; i += 2) {
            if (!parts[i].isEmpty()) {
                path.put(parts[i], i + 1 < parts.length ? parts[i + 1] : "");
            }
        }
        return path;
    }

    @Override
    public String getPathRaw() {
        return pathRaw;
    }

    /** As it is written when it cannot be decoded: callers send all sorts of things. */
    private static String decode(String text) {
        try {
            return URLDecoder.decode(text, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return text;
        }
    }
}
