package com.openfaas.model;

import java.util.Map;

public interface IRequest {
    String getBody();

    byte[] getBodyBytes();

    String getMethod();

    /** The first value of each header; look names up with getHeader, which does not mind their case. */
    Map<String, String> getHeaders();

    String getHeader(String name);

    /** The first value of each parameter. */
    Map<String, String> getQuery();

    String getQueryRaw();

    /** "/colour/red/size/1" as {colour=red, size=1}. */
    Map<String, String> getPath();

    String getPathRaw();
}
