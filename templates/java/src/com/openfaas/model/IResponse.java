package com.openfaas.model;

import java.util.Map;

public interface IResponse {
    String getBody();

    byte[] getBodyBytes();

    void setBody(String body);

    void setBody(byte[] body);

    Map<String, String> getHeaders();

    String getHeader(String name);

    void setHeader(String name, String value);

    String getContentType();

    void setContentType(String contentType);

    int getStatusCode();

    void setStatusCode(int statusCode);
}
