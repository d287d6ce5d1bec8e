{{/* The application's container: `run` with what the chart knows, the rest from the file and the environment. */}}
{{- define "headwater-app.container" -}}
name: app
image: {{ include "headwater-app.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args:
  - run
  - --config
  - /etc/headwater/app.toml
  - --bootstrap
  - {{ required "kafka.bootstrap is required: addresses of brokers, host:port, separated by commas" .Values.kafka.bootstrap | quote }}
  - --state-dir
  - /var/lib/headwater
  - --admin
  - 0.0.0.0:8080
  {{- with .Values.extraArgs }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
env:
  - name: POD_NAME
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  {{- if .Values.staticMembership }}
  - name: HEADWATER_INSTANCE
    value: $(POD_NAME)
  {{- end }}
  - name: HEADWATER_LOG__FORMAT
    value: {{ .Values.log.format }}
  {{- with .Values.workers }}
  - name: HEADWATER_RUN__WORKERS
    value: {{ . | toString | quote }}
  {{- end }}
  {{- with .Values.state.memory }}
  - name: HEADWATER_STATE__MEMORY
    value: {{ . | quote }}
  {{- end }}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.envFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
ports:
  - name: admin
    containerPort: 8080
startupProbe:
  {{- toYaml .Values.startupProbe | nindent 2 }}
livenessProbe:
  {{- toYaml .Values.livenessProbe | nindent 2 }}
readinessProbe:
  {{- toYaml .Values.readinessProbe | nindent 2 }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
volumeMounts:
  - name: state
    mountPath: /var/lib/headwater
  - name: config
    mountPath: /etc/headwater
    readOnly: true
  - name: tmp
    mountPath: /tmp
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
